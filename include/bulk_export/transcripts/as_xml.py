"""A transcript as an XML file that meets `schemas/transcript-1.0.xsd`.

Analytics data can be any JSON, so it is written as JSON's own types: `<object>` of `<entry key="...">`, `<array>`,
`<string>`, `<number>` (JSON's digits), `<boolean>`, `<null>`. Nothing of it is lost or renamed.

Characters that XML 1.0 forbids become U+FFFD and are counted.
"""

from __future__ import annotations

import re
from io import BytesIO
from typing import TYPE_CHECKING

import orjson
from lxml import etree

from bulk_export.transcripts.document import SCHEMA, Json, Transcript
from bulk_export.transcripts.transcript_file import TranscriptFile

if TYPE_CHECKING:
    from lxml.etree import _Element, _IncrementalFileWriter

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REPLACEMENT = "\ufffd"


def as_xml(transcript: Transcript) -> TranscriptFile:
    """The file, UTF-8 with an XML declaration."""
    buffer, legal = BytesIO(), _Legal()
    attributes = {
        "schema": SCHEMA,
        "contact_id": str(transcript.contact_id),
        "language": legal(transcript.language),
        "channel": legal(transcript.channel),
    }
    with etree.xmlfile(buffer, encoding="utf-8") as xml:
        xml.write_declaration()
        with xml.element("transcript", attributes):
            xml.write(_participants(transcript, legal))
            _write_segments(xml, transcript, legal)
            if transcript.analytics is not None:
                with xml.element("analytics"):
                    xml.write(_value(transcript.analytics, legal))
    return TranscriptFile(buffer.getvalue(), legal.fixes)


class _Legal:
    """Makes text fit for XML 1.0 and counts what it replaced."""

    __slots__ = ("fixes",)

    def __init__(self) -> None:
        self.fixes = 0

    def __call__(self, text: str) -> str:
        if text.isprintable():  # cheaper than the pattern, and printable characters are all legal
            return text
        legal, replaced = _FORBIDDEN.subn(_REPLACEMENT, text)
        self.fixes += replaced
        return legal


def _participants(transcript: Transcript, legal: _Legal) -> _Element:
    participants = etree.Element("participants")
    for each in transcript.participants:
        etree.SubElement(participants, "participant", {"id": legal(each["id"]), "role": legal(each["role"])})
    return participants


def _write_segments(xml: _IncrementalFileWriter, transcript: Transcript, legal: _Legal) -> None:
    # Element by element, so that a day-long transcript is never in memory as a tree.
    with xml.element("segments"):
        for segment in transcript.segments:
            speaker, text = segment["speaker"], segment["text"]
            attributes = {
                # Looked at here already: a call for each text would be a tenth of the work.
                "speaker": speaker if speaker.isprintable() else legal(speaker),
                "start_ms": str(segment["start_ms"]),
                "end_ms": str(segment["end_ms"]),
            }
            if "confidence" in segment:
                attributes["confidence"] = _digits(segment["confidence"])
            if "sentiment" in segment:
                sentiment = segment["sentiment"]
                attributes["sentiment"] = legal(sentiment) if isinstance(sentiment, str) else _digits(sentiment)
            with xml.element("segment", attributes):
                xml.write(text if text.isprintable() else legal(text))


def _value(value: Json, legal: _Legal) -> _Element:
    match value:
        case None:
            return etree.Element("null")
        case bool():
            element = etree.Element("boolean")
            element.text = "true" if value else "false"
        case int() | float():
            element = etree.Element("number")
            element.text = _digits(value)
        case str():
            element = etree.Element("string")
            element.text = legal(value)
        case list():
            element = etree.Element("array")
            element.extend(_value(item, legal) for item in value)
        case dict():
            element = etree.Element("object")
            for key, item in value.items():
                etree.SubElement(element, "entry", {"key": legal(key)}).append(_value(item, legal))
    return element


def _digits(number: float) -> str:
    """The number as the JSON form shows it, so that both files agree to the digit."""
    return orjson.dumps(number).decode()
