"""Any stored transcript: refused in words, or delivered as JSON and XML that meet their schemas and say the same."""

from __future__ import annotations

import json
from functools import cache

from jsonschema import Draft202012Validator
from lxml import etree

from bulk_export.transcripts.as_json import as_json
from bulk_export.transcripts.as_xml import as_xml
from bulk_export.transcripts.document import TranscriptFormatError, parse
from bulk_export.transcripts.schemas import JSON_SCHEMA, XSD, schema_text


def run(data: bytes) -> None:
    """The bytes are the stored object of contact 7."""
    try:
        transcript = parse(data, 7)
    except TranscriptFormatError as error:
        assert str(error)
        return
    in_json = json.loads(as_json(transcript).content)
    in_xml = as_xml(transcript).content
    json_schema, xml_schema = _schemas()
    json_schema.validate(in_json)
    root = etree.fromstring(in_xml, etree.XMLParser(huge_tree=True, resolve_entities=False))
    xml_schema.assertValid(root)
    assert len(root.findall("segments/segment")) == len(in_json["segments"]) == len(transcript.segments)
    for element, segment in zip(root.iterfind("segments/segment"), in_json["segments"], strict=True):
        if segment["text"].isprintable():
            assert (element.text or "") == segment["text"]
        assert int(element.get("start_ms", "")) == segment["start_ms"]


@cache
def _schemas() -> tuple[Draft202012Validator, etree.XMLSchema]:
    return (
        Draft202012Validator(json.loads(schema_text(JSON_SCHEMA))),
        etree.XMLSchema(etree.fromstring(schema_text(XSD).encode())),
    )
