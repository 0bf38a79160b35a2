from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from lxml import etree

from bulk_export.transcripts.schemas import JSON_SCHEMA, XSD, schema_text


def _stored(**changes: Any) -> dict[str, Any]:
    transcript = {
        "schema": "transcript-1.0",
        "contact_id": 7,
        "language": "es-CO",
        "channel": "CALL",
        "participants": [{"id": "agent", "role": "agent"}, {"id": "customer", "role": "customer"}],
        "segments": [
            {"speaker": "agent", "start_ms": 0, "end_ms": 900, "text": "¿Aló? <b>&amp;</b>", "confidence": 0.93},
            {
                "speaker": "customer",
                "start_ms": 900,
                "end_ms": 1_500,
                "text": "日本\r\n 👍🏽 ",
                "sentiment": "positive",
            },
        ],
        "analytics": {"topics": ["billing", {"score": 0.25, "hit": True, "by": None}], "": [], "empty": {}},
    }
    return {key: value for key, value in {**transcript, **changes}.items() if value is not ...}


@pytest.fixture(scope="session")
def stored() -> Callable[..., dict[str, Any]]:
    """A stored transcript of contact 7 with some keys changed, or left out with `...`."""
    return _stored


@cache
def _validators() -> tuple[Draft202012Validator, etree.XMLSchema]:
    schema = json.loads(schema_text(JSON_SCHEMA))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema), etree.XMLSchema(etree.fromstring(schema_text(XSD).encode()))


def _validate(content: bytes) -> None:
    json_schema, xml_schema = _validators()
    if content.startswith(b"<"):
        xml_schema.assertValid(etree.fromstring(content))
    else:
        json_schema.validate(json.loads(content))


@pytest.fixture(scope="session")
def validate() -> Callable[[bytes], None]:
    """Checks a delivered file, JSON or XML, against its published schema; raises when it does not meet it."""
    return _validate


def _content(element: etree._Element) -> Any:
    match element.tag:
        case "object":
            return {entry.get("key"): _content(entry[0]) for entry in element}
        case "array":
            return [_content(item) for item in element]
        case "string":
            return element.text or ""
        case "number":
            return json.loads(element.text or "")
        case "boolean":
            return element.text == "true"
        case "null":
            return None
    raise AssertionError(element.tag)


def _segments(root: etree._Element) -> Iterator[dict[str, Any]]:
    for element in root.iterfind("segments/segment"):
        segment: dict[str, Any] = dict(element.attrib)
        for key in ("start_ms", "end_ms", "confidence"):
            if key in segment:
                segment[key] = json.loads(segment[key])
        yield {**segment, "text": element.text or ""}


def _read_xml(content: bytes) -> dict[str, Any]:
    root = etree.fromstring(content)
    document: dict[str, Any] = {
        **root.attrib,
        "contact_id": int(root.get("contact_id", "")),
        "participants": [dict(each.attrib) for each in root.iterfind("participants/participant")],
        "segments": list(_segments(root)),
    }
    if (analytics := root.find("analytics")) is not None:
        document["analytics"] = _content(analytics[0])
    return document


@pytest.fixture(scope="session")
def read_xml() -> Callable[[bytes], dict[str, Any]]:
    """What a receiver gets out of an XML transcript: the same document as in JSON."""
    return _read_xml
