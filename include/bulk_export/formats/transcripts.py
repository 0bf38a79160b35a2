"""The transcript formats, one object each."""

from __future__ import annotations

from dataclasses import dataclass

from bulk_export.formats.registry import FormatRegistry


@dataclass(frozen=True, slots=True)
class TranscriptFormat:
    """A format that transcripts can be delivered in.

    Attributes:
        key: its name in definitions.
        label: its name on forms and pages.
        extension: of the delivered file.
        mime_type: of the delivered file.
        writer: `module:function` that makes a `TranscriptFile` of a `Transcript`; imported by the job that needs it,
            so that the libraries of one format are not loaded for another.
    """

    key: str
    label: str
    extension: str
    mime_type: str
    writer: str


TRANSCRIPT_FORMATS = FormatRegistry[TranscriptFormat](
    "transcript",
    [
        TranscriptFormat("json", "JSON", "json", "application/json", "bulk_export.transcripts.as_json:as_json"),
        TranscriptFormat("xml", "XML", "xml", "application/xml", "bulk_export.transcripts.as_xml:as_xml"),
    ],
)
