"""Make a contact store to try things on: contacts, audible audio, screen video, transcripts; one seed, one store.

    request     what was asked for, and whether it makes sense
    store       the directory: refuse, build beside it, rename
    build       batches of contacts → objects → Parquet by month
    moments     when contacts start, and in which zone
    traits      what each contact is: type, length, mood, media
    talk        who says what (words: talk_words)
    columns     the catalogue's columns (people, statistics of silence and hold)
    objects     one contact's files: sound, screen, encode, transcript; dirt spoils some

Everybody and everything in it is invented; addresses end in example.com and telephone numbers come from the ranges
kept free for fiction.
"""

from __future__ import annotations

from bulk_export_sample.request import SampleReport, SampleRequest
from bulk_export_sample.store import make_sample_store

__all__ = ["SampleReport", "SampleRequest", "make_sample_store"]
