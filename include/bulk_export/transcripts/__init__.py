"""Export transcripts: one file per contact, JSON or XML, the same content in both.

- `document.py`: what a stored transcript is; refuses by place what is not one
- `as_json.py`, `as_xml.py`: the two forms of a delivered file
- `schemas/`: the published schemas every delivered file meets
- `job.py`: all transcripts of one job: read, write, journal
"""
