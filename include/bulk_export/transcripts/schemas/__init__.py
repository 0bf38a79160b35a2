"""The published schemas of delivered transcripts, as package data."""

from importlib.resources import files

JSON_SCHEMA = "transcript-1.0.schema.json"
XSD = "transcript-1.0.xsd"


def schema_text(name: str) -> str:
    """One schema's text, as `bulk-export schema transcript-json` and `transcript-xsd` print it."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
