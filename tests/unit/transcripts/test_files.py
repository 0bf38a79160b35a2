"""The delivered files: both forms have the same content, and every one meets its published schema."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import ValidationError
from lxml import etree

from bulk_export.transcripts.as_json import as_json
from bulk_export.transcripts.as_xml import as_xml
from bulk_export.transcripts.document import parse

Stored = Callable[..., dict[str, Any]]
Validate = Callable[[bytes], None]
ReadXml = Callable[[bytes], dict[str, Any]]

XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff") | st.sampled_from("\t\n\r\x85")
)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(-1e18, 1e18)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | XML_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(XML_TEXT, inner),
    max_leaves=20,
)
SEGMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "speaker": XML_TEXT,
            "start_ms": st.integers(0, 2**63 - 1),
            "end_ms": st.integers(0, 2**63 - 1),
            "text": XML_TEXT,
        },
        optional={"confidence": st.floats(0, 1) | st.integers(-5, 100), "sentiment": XML_TEXT},
    )
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(segments=SEGMENTS, analytics=st.dictionaries(XML_TEXT, JSON_VALUES), language=XML_TEXT)
def test_both_forms_give_back_what_was_stored(
    segments: list[dict[str, Any]],
    analytics: dict[str, Any],
    language: str,
    stored: Stored,
    validate: Validate,
    read_xml: ReadXml,
) -> None:
    document = stored(segments=segments, analytics=analytics, language=language)
    transcript = parse(json.dumps(document).encode(), 7)
    in_json, in_xml = as_json(transcript).content, as_xml(transcript)
    validate(in_json)
    validate(in_xml.content)
    assert json.loads(in_json) == document
    assert read_xml(in_xml.content) == document
    assert in_xml.fixes == 0


def test_a_transcript_without_anything_said_is_a_file_too(
    stored: Stored, validate: Validate, read_xml: ReadXml
) -> None:
    document = stored(participants=[], segments=[], analytics=...)
    transcript = parse(json.dumps(document).encode(), 7)
    validate(as_json(transcript).content)
    validate(as_xml(transcript).content)
    assert json.loads(as_json(transcript).content) == read_xml(as_xml(transcript).content) == document


def test_the_xml_file_is_as_published(stored: Stored) -> None:
    document = stored(analytics={"n": 0.5, "ok": True, "none": None, "list": ["<&>"]})
    assert as_xml(parse(json.dumps(document).encode(), 7)).content.decode() == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<transcript schema="transcript-1.0" contact_id="7" language="es-CO" channel="CALL">'
        '<participants><participant id="agent" role="agent"/><participant id="customer" role="customer"/>'
        "</participants>"
        '<segments><segment speaker="agent" start_ms="0" end_ms="900" confidence="0.93">'
        "¿Aló? &lt;b&gt;&amp;amp;&lt;/b&gt;</segment>"
        '<segment speaker="customer" start_ms="900" end_ms="1500" sentiment="positive">日本&#13;\n 👍🏽 </segment>'
        "</segments>"
        '<analytics><object><entry key="n"><number>0.5</number></entry>'
        '<entry key="ok"><boolean>true</boolean></entry><entry key="none"><null/></entry>'
        '<entry key="list"><array><string>&lt;&amp;&gt;</string></array></entry></object></analytics></transcript>'
    )


def test_the_json_file_is_as_published(stored: Stored) -> None:
    segment = {"speaker": "agent", "start_ms": 0, "end_ms": 900, "text": "¿Aló?", "confidence": 0.93}
    document = stored(segments=[segment], analytics={"b": 1, "a": [None]})
    assert as_json(parse(json.dumps(document).encode(), 7)).content.decode() == (
        '{"schema":"transcript-1.0","contact_id":7,"language":"es-CO","channel":"CALL",'
        '"participants":[{"id":"agent","role":"agent"},{"id":"customer","role":"customer"}],'
        '"segments":[{"speaker":"agent","start_ms":0,"end_ms":900,"text":"¿Aló?","confidence":0.93}],'
        '"analytics":{"b":1,"a":[null]}}\n'
    )


def test_every_character_xml_forbids_is_replaced_and_counted_wherever_it_stands(
    stored: Stored, validate: Validate, read_xml: ReadXml
) -> None:
    forbidden = "".join(map(chr, sorted({*range(0x20), 0xFFFE, 0xFFFF} - {9, 10, 13})))
    assert len(forbidden) == 31
    bad = f"a{forbidden}\t\n\r\x7f\x85]]>&<\"'"
    document = stored(
        language=bad,
        channel=bad,
        participants=[{"id": bad, "role": bad}],
        segments=[{"speaker": bad, "start_ms": 0, "end_ms": 1, "text": bad, "sentiment": bad}],
        analytics={bad: [bad]},
    )
    file = as_xml(parse(json.dumps(document).encode(), 7))
    validate(file.content)
    good = bad.replace(forbidden, "\ufffd" * 31)
    assert read_xml(file.content) == json.loads(json.dumps(document).replace(json.dumps(bad), json.dumps(good)))
    assert file.fixes == 31 * 9


def test_json_keeps_the_characters_xml_forbids(stored: Stored, validate: Validate) -> None:
    document = stored(language="\0\x0b\uffff")
    content = as_json(parse(json.dumps(document).encode(), 7)).content
    validate(content)
    assert json.loads(content)["language"] == "\0\x0b\uffff"


def test_analytics_as_deep_as_allowed_can_be_read_by_ordinary_parsers(
    stored: Stored, validate: Validate, read_xml: ReadXml
) -> None:
    value: object = 1
    for _ in range(99):
        value = {"k": value}
    document = stored(analytics={"a": value})
    transcript = parse(json.dumps(document).encode(), 7)
    validate(as_json(transcript).content)
    validate(as_xml(transcript).content)
    assert read_xml(as_xml(transcript).content) == json.loads(as_json(transcript).content) == document


@pytest.mark.parametrize(
    "change",
    [{"schema": "transcript-2.0"}, {"contact_id": "7"}, {"segments": ...}, {"extra": 1}, {"segments": [{"text": "x"}]}],
    ids=str,
)
def test_the_json_schema_refuses_other_documents(change: dict[str, Any], stored: Stored, validate: Validate) -> None:
    with pytest.raises(ValidationError):
        validate(json.dumps(stored(**change)).encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('schema="transcript-1.0"', 'schema="transcript-2.0"'),
        ('contact_id="7"', 'contact_id="seven"'),
        ('start_ms="0"', 'start_ms="-1"'),
        (' speaker="agent"', ""),
        ("<number>0.25</number>", "<number>INF</number>"),
        ("<boolean>true</boolean>", "<boolean>1</boolean>"),
        ("<null/>", "<null>0</null>"),
        ("<participants>", "<participants><extra/>"),
    ],
)
def test_the_xsd_refuses_other_documents(old: str, new: str, stored: Stored, validate: Validate) -> None:
    content = as_xml(parse(json.dumps(stored()).encode(), 7)).content.decode()
    assert old in content
    with pytest.raises(etree.DocumentInvalid):
        validate(content.replace(old, new, 1).encode())
