"""What an object is, for those who open it where it lies: the media type of its name."""

from __future__ import annotations

# `audio/vnd.wave` is the registered name (RFC 2361), and what servers that try to compress `audio/wav` leave alone:
# one of those spent a tenth of a PUT's processor time on it.
_TYPES: dict[str, str] = {
    "wav": "audio/vnd.wave",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mkv": "video/matroska",
    "csv": "text/csv; charset=utf-8",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
    "xml": "application/xml",
    "yaml": "application/yaml",
    "parquet": "application/vnd.apache.parquet",
}
_OTHER = "application/octet-stream"


def content_type(key: str) -> str:
    """The media type an object of this key has."""
    return _TYPES.get(key.rpartition(".")[2].lower(), _OTHER)
