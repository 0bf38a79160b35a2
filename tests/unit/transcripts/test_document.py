from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.transcripts.document import TranscriptFormatError, parse

Stored = Callable[..., dict[str, Any]]
SEGMENT = {"speaker": "a", "start_ms": 0, "end_ms": 1, "text": "t"}


def refusal(content: bytes, contact_id: int = 7) -> str:
    with pytest.raises(TranscriptFormatError) as error:
        parse(content, contact_id)
    return str(error.value)


def test_a_stored_transcript_is_read_whole(stored: Stored) -> None:
    document = stored()
    transcript = parse(json.dumps(document).encode(), 7)
    assert {key: getattr(transcript, key) for key in document if key != "schema"} == {
        key: value for key, value in document.items() if key != "schema"
    }
    assert (transcript.unknown_keys, transcript.replaced) == (0, 0)


@pytest.mark.faults("rows")
@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "the file is empty"),
        (b" \n\0\0", "the file is empty"),
        (b"\x00" * 4096, "the file is empty"),
        (b'{"schema": "transcript-1.0", "segments": [', "not readable as JSON"),
        (b'{"schema": "transcript-1.0"} {"schema"', "not readable as JSON"),
        (b'{"a": "\xff\xfe"}', "not readable as JSON"),
        (b'{"a": "caf\xe9"}', "not readable as JSON"),
        ('{"schema": "x"}'.encode("utf-16"), "not readable as JSON"),
        (b'{"a": NaN}', "not readable as JSON"),
        (b'{"a": Infinity}', "not readable as JSON"),
        (b'{"a": 1e999}', "not readable as JSON"),
        (b'{"a": "raw \x01 control"}', "not readable as JSON"),
        (b"[" * 1_000_000, "not readable as JSON"),
        (b'{"a":' * 100_000, "not readable as JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "not readable as JSON"),
        (b'{"a": "\\ud83d', "not readable as JSON"),
        (b"RIFF\x24\x08\x00\x00WAVEfmt ", "not readable as JSON"),
        (b"\x1f\x8b\x08\x00", "not readable as JSON"),
        (b"<transcript/>", "not readable as JSON"),
        (b"null", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b'"transcript-1.0"', "not a JSON object"),
        (b"7", "not a JSON object"),
        (b"{}", "schema: missing"),
        (b'{"schem\\u0001": "transcript-1.0"}', "schema: missing"),
    ],
)
def test_what_is_no_json_object_is_refused(content: bytes, detail: str) -> None:
    assert refusal(content).startswith(detail)


@pytest.mark.faults("rows")
@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"schema": "transcript-2.0"}, "schema: not transcript-1.0"),
        ({"schema": 1}, "schema: not a text"),
        ({"contact_id": ...}, "contact_id: missing"),
        ({"contact_id": 8}, "contact_id: is of another contact"),
        ({"contact_id": "7"}, "contact_id: not an integer"),
        ({"contact_id": 7.5}, "contact_id: not an integer"),
        ({"contact_id": True}, "contact_id: not an integer"),
        ({"contact_id": 10**40}, "contact_id: is of another contact"),
        ({"language": None}, "language: null"),
        ({"language": 5}, "language: not a text"),
        ({"channel": ...}, "channel: missing"),
        ({"participants": ...}, "participants: missing"),
        ({"participants": {}}, "participants: not a list"),
        ({"participants": ["agent"]}, "participants[0]: not an object"),
        ({"participants": [{"id": "agent"}]}, "participants[0].role: missing"),
        ({"participants": [{"id": 3, "role": "agent"}]}, "participants[0].id: not a text"),
        ({"segments": None}, "segments: null"),
        ({"segments": "said"}, "segments: not a list"),
        ({"segments": [SEGMENT, None]}, "segments[1]: not an object"),
        ({"segments": [SEGMENT, []]}, "segments[1]: not an object"),
        ({"segments": [{**SEGMENT, "start_ms": "0"}]}, "segments[0].start_ms: not an integer"),
        ({"segments": [SEGMENT] * 3 + [{**SEGMENT, "start_ms": 0.5}]}, "segments[3].start_ms: not an integer"),
        ({"segments": [{**SEGMENT, "start_ms": False}]}, "segments[0].start_ms: not an integer"),
        ({"segments": [{**SEGMENT, "start_ms": -1}]}, "segments[0].start_ms: negative or too large"),
        ({"segments": [{**SEGMENT, "end_ms": 2**63}]}, "segments[0].end_ms: negative or too large"),
        ({"segments": [{**SEGMENT, "end_ms": 1e300}]}, "segments[0].end_ms: negative or too large"),
        ({"segments": [{**SEGMENT, "end_ms": None}]}, "segments[0].end_ms: null"),
        ({"segments": [{"speaker": "a", "start_ms": 0, "end_ms": 1}]}, "segments[0].text: missing"),
        ({"segments": [{**SEGMENT, "text": ["t"]}]}, "segments[0].text: not a text"),
        ({"segments": [{**SEGMENT, "speaker": 1}]}, "segments[0].speaker: not a text"),
        ({"segments": [{**SEGMENT, "confidence": "high"}]}, "segments[0].confidence: not a number, or too large a one"),
        ({"segments": [{**SEGMENT, "confidence": True}]}, "segments[0].confidence: not a number, or too large a one"),
        ({"segments": [{**SEGMENT, "sentiment": []}]}, "segments[0].sentiment: neither a text nor a number"),
        ({"analytics": []}, "analytics: not an object"),
        ({"analytics": "x"}, "analytics: not an object"),
        ({"analytics": {"a": [{"b": 10**30}]}}, "analytics: a number too large to keep exactly"),
        ({"analytics": {"a": -(2**64)}}, "analytics: a number too large to keep exactly"),
    ],
    ids=str,
)
def test_what_is_not_of_the_format_is_refused_by_its_place(
    changes: dict[str, object], detail: str, stored: Stored
) -> None:
    assert refusal(json.dumps(stored(**changes)).encode()) == detail


def test_a_refusal_never_quotes_what_was_said(stored: Stored) -> None:
    secret = "my card is 4111 1111 1111 1111"
    texts = [
        json.dumps(stored(segments=[{**SEGMENT, "text": secret, "start_ms": secret}])).encode(),
        json.dumps(stored(schema=secret)).encode(),
        json.dumps(stored(analytics={secret: 10**30})).encode(),
        json.dumps(stored(segments=[{**SEGMENT, secret: secret, "text": 1}])).encode(),
        json.dumps(stored(segments=[{**SEGMENT, "text": secret}])).encode()[:-200],
        b'{"a": "' + secret.encode() + b'\xff"}',
    ]
    assert not [text for text in texts if "4111" in refusal(text) or "card" in refusal(text)]


def test_analytics_may_be_nested_a_hundred_levels_deep_and_no_more(stored: Stored) -> None:
    def nested(levels: int) -> bytes:
        value: object = "x"
        for _ in range(levels - 1):
            value = [value]
        return json.dumps(stored(analytics={"a": value})).encode()

    assert parse(nested(100), 7).analytics is not None
    assert refusal(nested(101)) == "analytics: nested deeper than 100 levels"


@pytest.mark.parametrize(
    ("escaped", "text", "replaced"),
    [
        (r"cut \ud83d", "cut \ufffd", 1),
        (r"\udc4d cut", "\ufffd cut", 1),
        (r"\ud83d\ud83d\udc4d", "\ufffd👍", 1),
        (r"\ud83d\udc4d \ud83d", "👍 \ufffd", 1),
        (r"\ud83d\\ud83d", "\ufffd\\ud83d", 1),
        (r"\\\ud83d \uDBFF \n", "\\\ufffd \ufffd \n", 2),
    ],
)
def test_half_an_emoji_costs_one_character_not_the_transcript(
    escaped: str, text: str, replaced: int, stored: Stored
) -> None:
    content = json.dumps(stored(segments=[{**SEGMENT, "text": "HERE"}])).replace("HERE", escaped).encode()
    transcript = parse(content, 7)
    assert (transcript.segments[0]["text"], transcript.replaced) == (text, replaced)


def test_keys_the_format_does_not_name_are_left_out_and_counted(stored: Stored) -> None:
    document = stored(
        vendor=1,
        participants=[{"id": "a", "role": "agent", "name": "x"}],
        segments=[{**SEGMENT, "words": [], "channel": 0}, {**SEGMENT, "confidence": None, "sentiment": None}],
        analytics=None,
    )
    transcript = parse(json.dumps(document).encode(), 7)
    assert transcript.segments == [SEGMENT, SEGMENT]
    assert transcript.participants == [{"id": "a", "role": "agent"}]
    assert (transcript.unknown_keys, transcript.analytics) == (4, None)


def test_a_byte_order_mark_and_whole_floats_are_read(stored: Stored) -> None:
    document = stored(contact_id=7.0, segments=[{**SEGMENT, "start_ms": 1500.0, "confidence": 2}])
    transcript = parse(b"\xef\xbb\xbf" + json.dumps(document).encode(), 7)
    assert transcript.segments == [{**SEGMENT, "start_ms": 1500, "confidence": 2}]
    assert [type(transcript.contact_id), type(transcript.segments[0]["start_ms"])] == [int, int]


@pytest.mark.faults("rows")
@settings(deadline=None, derandomize=True, max_examples=100)
@given(data=st.data())
def test_a_transcript_with_any_bytes_changed_is_read_or_refused(data: st.DataObject, stored: Stored) -> None:
    content = bytearray(json.dumps(stored(), ensure_ascii=False).encode())
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(0, len(content))) :]
    try:
        assert parse(bytes(content), 7).contact_id == 7
    except TranscriptFormatError as error:
        assert str(error)


@pytest.mark.faults("rows")
@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    key=st.sampled_from(["schema", "contact_id", "language", "participants", "segments", "analytics"]),
)
def test_any_json_in_any_place_is_read_or_refused(value: object, key: str, stored: Stored) -> None:
    try:
        parse(json.dumps(stored(**{key: value})).encode(), 7)
    except TranscriptFormatError as error:
        assert str(error)
