"""Make a contact store to try things on: one seed, one store.

Contacts, audible audio, screen video, transcripts.

- `request.py`: what was asked for, and whether it makes sense
- `store.py`: the directory: refuse, build beside it, rename
- `build.py`: batches of contacts, their objects, Parquet by month
- `schema.py`: columns and types
- `randomness.py`: random streams, all from the seed
- `moments.py`: when contacts start, and in which zone
- `traits.py`: what each contact is: type, length, mood, media
- `talk.py`, `talk_words.py`: who says what, and the words
- `columns.py`, `people.py`, `statistics.py`: the columns, with names and figures
- `objects.py`: the files of contacts
- `sound.py`, `screen.py`, `encode.py`, `transcripts.py`: what is in them
- `bulk.py`: many large files for measuring
- `dirt.py`: faults that real stores have

Everybody and everything in it is invented; addresses end in example.com and telephone numbers come from the ranges
kept free for fiction.
"""

from __future__ import annotations

from bulk_export_sample.request import SampleReport, SampleRequest
from bulk_export_sample.store import make_sample_store

__all__ = ["SampleReport", "SampleRequest", "make_sample_store"]
