"""A transcript as a JSON file that meets `schemas/transcript-1.0.schema.json`: UTF-8, one line."""

from __future__ import annotations

import orjson

from bulk_export.transcripts.document import SCHEMA, Transcript
from bulk_export.transcripts.transcript_file import TranscriptFile


def as_json(transcript: Transcript) -> TranscriptFile:
    """The file."""
    document: dict[str, object] = {
        "schema": SCHEMA,
        "contact_id": transcript.contact_id,
        "language": transcript.language,
        "channel": transcript.channel,
        "participants": transcript.participants,
        "segments": transcript.segments,
    }
    if transcript.analytics is not None:
        document["analytics"] = transcript.analytics
    return TranscriptFile(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE))
