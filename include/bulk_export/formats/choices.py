"""What definitions and forms may ask for: registered formats, or none."""

from __future__ import annotations

from collections.abc import Iterable

from bulk_export.formats.media import MEDIA_FORMATS, MediaFormat
from bulk_export.formats.transcripts import TRANSCRIPT_FORMATS, TranscriptFormat

NO_FORMAT = "none"
_NO_FORMAT_LABEL = "None"


def format_labels(asked: str) -> dict[str, str]:
    """Labels of the formats a definition may ask for, by key.

    Args:
        asked: `audio_video`, `audio_only` or `transcripts`; any other is a `LookupError`.
    """
    return {format.key: format.label for format in _formats(asked)}


def form_choices(asked: str) -> dict[str, str]:
    """What a drop-down offers: none, then the formats."""
    return {NO_FORMAT: _NO_FORMAT_LABEL, **format_labels(asked)}


def _formats(asked: str) -> Iterable[MediaFormat | TranscriptFormat]:
    if asked == "transcripts":
        return TRANSCRIPT_FORMATS
    if asked in {"audio_video", "audio_only"}:
        return [format for format in MEDIA_FORMATS if asked in format.serves]
    raise LookupError(f"no formats are asked for by '{asked}'")
