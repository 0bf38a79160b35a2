"""The formats of delivered files, one object each.

Vocabulary only: no library that reads or writes them is loaded.

| module | does |
|---|---|
| `registry` | a registry of formats by key |
| `media` | the media formats |
| `encoders` | how each codec is encoded |
| `transcripts` | the transcript formats |
| `choices` | what definitions and forms may ask for |

Models, forms, pages, documents and MIME types follow from the registries: a further format is an entry.
"""
