"""Transcripts of contacts: one file each, in the format asked for.

| module | does |
|---|---|
| `job` | one job, on the core in `bulk_export.jobs` |
| `document` | what a stored transcript is; refuses by place what is not one |
| `transcript_file` | what a writer gives |
| `as_json`, `as_xml` | the writers, one a format of `bulk_export.formats` |
| `schemas/` | the published schemas every delivered file meets |
"""
