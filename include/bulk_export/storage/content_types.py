"""MIME type by file extension."""

from __future__ import annotations

from bulk_export.formats.media import MEDIA_FORMATS
from bulk_export.formats.transcripts import TRANSCRIPT_FORMATS

# What is delivered beside media and transcripts, and media delivered as stored.
_OTHER_TYPES: dict[str, str] = {
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mkv": "video/matroska",
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "yaml": "application/yaml",
    "parquet": "application/vnd.apache.parquet",
}
_UNKNOWN = "application/octet-stream"


def content_type(key: str) -> str:
    """The MIME type of an object of this key."""
    extension = key.rpartition(".")[2].lower()
    types = {format.extension: format.mime_type for format in MEDIA_FORMATS if not format.as_stored}
    types |= {format.extension: format.mime_type for format in TRANSCRIPT_FORMATS}
    return types.get(extension) or _OTHER_TYPES.get(extension, _UNKNOWN)
