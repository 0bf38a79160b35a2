"""A stored transcript, read and checked.

Bytes come in, a `Transcript` or a precise refusal comes out.

Stored form (a JSON object, UTF-8): `schema` ("transcript-1.0"), `contact_id`, `language`, `channel`,
`participants` [{`id`, `role`}], `segments` [{`speaker`, `start_ms`, `end_ms`, `text`, `confidence`?, `sentiment`?}],
`analytics`? {...}. An optional key that is null counts as absent. Keys the form does not name are left out and
counted. Refusals name the place and never quote what is there: it is what somebody said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import NotRequired, TypeAlias, TypedDict, cast

import orjson

SCHEMA = "transcript-1.0"
MAX_DEPTH = 100
_MAX_INTEGER = 2**63 - 1
_MAX_EXACT = 2**64
_BOM = b"\xef\xbb\xbf"

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


class TranscriptFormatError(Exception):
    """The stored object is not a transcript.

    The message says where and what, without its text.
    """


class Participant(TypedDict):
    """Somebody who takes part; `role` such as `agent` or `customer`."""

    id: str
    role: str


class Segment(TypedDict):
    """What one speaker said or wrote in one go.

    `speaker` is a participant's id, not checked against the participants, since stores leave some out. `start_ms` and
    `end_ms` count from the contact's start and are kept as stored even where the end lies before the start.
    `confidence` (of the recognition) and `sentiment` (a word or a score) are as stored.
    """

    speaker: str
    start_ms: int
    end_ms: int
    text: str
    confidence: NotRequired[int | float]
    sentiment: NotRequired[str | int | float]


@dataclass(frozen=True, slots=True)
class Transcript:
    """One contact's transcript, checked.

    Parts have exactly the keys of the format, optional ones only where given.

    Attributes:
        contact_id: the contact's.
        language: as stored, such as `en` or `es-CO`.
        channel: as stored, such as `CALL`.
        participants: in stored order.
        segments: in stored order.
        analytics: whatever the analytics engine left, None when absent.
        unknown_keys: keys the format does not name, left out.
        replaced: half surrogate pairs that became U+FFFD, because no UTF-8 file can hold them.
    """

    contact_id: int
    language: str
    channel: str
    participants: list[Participant]
    segments: list[Segment]
    analytics: dict[str, Json] | None
    unknown_keys: int = 0
    replaced: int = 0


def parse(content: bytes, contact_id: int) -> Transcript:
    """Read the stored transcript of `contact_id`.

    Raises:
        TranscriptFormatError: cut off, empty, not UTF-8, not JSON, not of the form, or of another contact.
    """
    if not content.strip(b" \t\r\n\0"):
        raise TranscriptFormatError("the file is empty")
    document, replaced = _load(content)
    if not isinstance(document, dict):
        raise TranscriptFormatError("not a JSON object")
    transcript = _transcript(document)
    if transcript.contact_id != contact_id:
        raise TranscriptFormatError("contact_id: is of another contact")
    return replace(transcript, replaced=replaced) if replaced else transcript


# --- bytes to JSON ----------------------------------------------------------------------------------------------

# Any escape; the first alternative takes whole surrogate pairs so that only halves are left for the second.
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def _load(content: bytes) -> tuple[object, int]:
    content = content.removeprefix(_BOM)
    try:
        return orjson.loads(content), 0
    except orjson.JSONDecodeError as error:
        repaired, halves = _without_half_pairs(content)
        if not halves:
            raise TranscriptFormatError(f"not readable as JSON: {error.msg} at byte {error.pos}") from None
    try:
        return orjson.loads(repaired), halves
    except orjson.JSONDecodeError as error:
        raise TranscriptFormatError(f"not readable as JSON: {error.msg} at byte {error.pos}") from None


def _without_half_pairs(content: bytes) -> tuple[bytes, int]:
    """Platforms that count UTF-16 units cut emoji in half: replace the halves rather than lose the transcript."""
    halves = 0

    def replace(match: re.Match[bytes]) -> bytes:
        nonlocal halves
        if match["half"] is None:
            return match[0]
        halves += 1
        return rb"\ufffd"

    return _ESCAPES.sub(replace, content), halves


# --- JSON to transcript -----------------------------------------------------------------------------------------

_KEYS = {"schema", "contact_id", "language", "channel", "participants", "segments", "analytics"}
_SEGMENT_KEYS = {"speaker", "start_ms", "end_ms", "text", "confidence", "sentiment"}
_PARTICIPANT_KEYS = {"id", "role"}


def _transcript(document: dict[str, object]) -> Transcript:
    if _text(document, "schema", "") != SCHEMA:
        raise TranscriptFormatError(f"schema: not {SCHEMA}")
    unknown = len(document.keys() - _KEYS)
    participants: list[Participant] = []
    for index, item in enumerate(_list(document, "participants")):
        where = f"participants[{index}]"
        entry = _object(item, where)
        participants.append({"id": _text(entry, "id", f"{where}."), "role": _text(entry, "role", f"{where}.")})
        unknown += len(entry.keys() - _PARTICIPANT_KEYS)
    segments: list[Segment] = []
    for index, item in enumerate(_list(document, "segments")):
        segment, left_out = _segment(item, index)
        segments.append(segment)
        unknown += left_out
    analytics = document.get("analytics")
    if analytics is not None:
        _check_analytics(_object(analytics, "analytics"))
    return Transcript(
        contact_id=_integer(document, "contact_id", ""),
        language=_text(document, "language", ""),
        channel=_text(document, "channel", ""),
        participants=participants,
        segments=segments,
        analytics=cast("dict[str, Json] | None", analytics),
        unknown_keys=unknown,
    )


def _segment(item: object, index: int) -> tuple[Segment, int]:
    """One segment, and how many keys were left out of it."""
    try:
        # Nearly every segment is right, and a job has a million: those are let through at one glance as they are.
        if _is_right(cast("dict[str, object]", item)):
            return cast("Segment", item), 0
    except (KeyError, TypeError, AttributeError):
        pass
    where = f"segments[{index}]."
    entry = _object(item, f"segments[{index}]")
    segment: Segment = {
        "speaker": _text(entry, "speaker", where),
        "start_ms": _milliseconds(entry, "start_ms", where),
        "end_ms": _milliseconds(entry, "end_ms", where),
        "text": _text(entry, "text", where),
    }
    if (confidence := entry.get("confidence")) is not None:
        if not _is_number(confidence):
            raise TranscriptFormatError(f"{where}confidence: not a number, or too large a one")
        segment["confidence"] = cast("int | float", confidence)
    if (sentiment := entry.get("sentiment")) is not None:
        if type(sentiment) is not str and not _is_number(sentiment):
            raise TranscriptFormatError(f"{where}sentiment: neither a text nor a number")
        segment["sentiment"] = cast("str | int | float", sentiment)
    return segment, len(entry.keys() - _SEGMENT_KEYS)


def _is_right(entry: dict[str, object]) -> bool:
    """Whether a segment can be delivered as it is; False (or KeyError, TypeError) sends it to the careful check."""
    start_ms, end_ms, keys = entry["start_ms"], entry["end_ms"], 4
    if not (
        type(entry["speaker"]) is str
        and type(entry["text"]) is str
        and type(start_ms) is int
        and type(end_ms) is int
        and 0 <= start_ms <= _MAX_INTEGER
        and 0 <= end_ms <= _MAX_INTEGER
    ):
        return False
    if "confidence" in entry:
        if type(entry["confidence"]) is not float or not -1 <= entry["confidence"] <= 1:
            return False
        keys += 1
    if "sentiment" in entry:
        if type(entry["sentiment"]) is not str:
            return False
        keys += 1
    return len(entry) == keys


def _check_analytics(analytics: dict[str, object]) -> None:
    """Refuse what one of the two output forms could not hold: endless nesting, numbers that lost digits."""
    level: list[object] = [analytics]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else cast("list[object]", parent))
        ]
        for value in level:
            # orjson reads whole numbers beyond 64 bits as doubles, silently dropping digits.
            if type(value) is float and abs(value) >= _MAX_EXACT:
                raise TranscriptFormatError("analytics: a number too large to keep exactly")
        level = [value for value in level if isinstance(value, (dict, list))]
        if not level:
            return
    raise TranscriptFormatError(f"analytics: nested deeper than {MAX_DEPTH} levels")


def _is_number(value: object) -> bool:
    return type(value) is int or (type(value) is float and abs(value) < _MAX_EXACT)


def _present(entry: dict[str, object], key: str, where: str) -> object:
    value = entry.get(key)
    if value is None:
        raise TranscriptFormatError(f"{where}{key}: missing" if key not in entry else f"{where}{key}: null")
    return value


def _text(entry: dict[str, object], key: str, where: str) -> str:
    value = _present(entry, key, where)
    if type(value) is not str:
        raise TranscriptFormatError(f"{where}{key}: not a text")
    return value


def _integer(entry: dict[str, object], key: str, where: str) -> int:
    value = _present(entry, key, where)
    if type(value) is float and value.is_integer():
        value = int(value)  # 1500.0 is an integer to JSON Schema and to JavaScript
    if type(value) is not int:
        raise TranscriptFormatError(f"{where}{key}: not an integer")
    return value


def _milliseconds(entry: dict[str, object], key: str, where: str) -> int:
    value = _integer(entry, key, where)
    if not 0 <= value <= _MAX_INTEGER:
        raise TranscriptFormatError(f"{where}{key}: negative or too large")
    return value


def _list(entry: dict[str, object], key: str) -> list[object]:
    value = _present(entry, key, "")
    if type(value) is not list:
        raise TranscriptFormatError(f"{key}: not a list")
    return value


def _object(value: object, where: str) -> dict[str, object]:
    if type(value) is not dict:
        raise TranscriptFormatError(f"{where}: not an object")
    return value
