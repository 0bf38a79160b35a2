"""Read a filter's value as its field and operator need it.

Plain typed values come out, or everything wrong with it.

Values come from YAML and forms, so it may be any Python value. Messages never repeat what somebody is searching
for in text: it may be a name or a phone number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, assert_never

from bulk_export.fields import Kind
from bulk_export.filters.comparison import Scalar
from bulk_export.filters.dates import parse_point
from bulk_export.filters.field_catalog import FilterField
from bulk_export.filters.limits import MAX_CHARS, MAX_COUNT, MAX_VALUES, MAX_WORDS
from bulk_export.filters.operators import OPERATORS, Shape
from bulk_export.filters.words import words_of
from bulk_export.suggestions import did_you_mean

_TYPE_WORDS = {bool: "yes/no", int: "a number", float: "a number", str: "text", dict: "a mapping", list: "a list"}

_MOST_PROBLEMS = 20  # of one value: the nearest name is looked for each time
_MAX_INTEGER = 2**62  # far beyond any id, and safe for every database's 64-bit integer
_CLOCK = re.compile(r"(\d{1,6}):([0-5]\d):([0-5]\d)", re.ASCII)
_PAIR = 2
_LARGEST_OFFSET = timedelta(days=1)  # those of Python stay below it, and those of real zones far below
_MISSING = "value is missing"


@dataclass(frozen=True, slots=True)
class Operands:
    """What a filter compares with.

    Attributes:
        values: typed operands: none, one, two (between), many (lists) or search terms; empty when there are problems.
        problems: what is wrong with the value, in words.
    """

    values: tuple[Scalar, ...] = ()
    problems: tuple[str, ...] = ()


class _OperandError(ValueError):
    """One operand that does not fit; the message is for people."""


def read_operands(field: FilterField, operator: str, value: object) -> Operands:
    """The typed operands of a filter.

    Raises:
        KeyError: there is no such operator.
    """
    shape = OPERATORS[operator].shape
    if shape is Shape.NOTHING:
        return Operands() if _is_missing(value) else Operands(problems=(f"{operator} takes no value",))
    if _is_missing(value):
        return Operands(problems=(_MISSING,))
    match shape:
        case Shape.ONE:
            return _collect([value], _reader(field))
        case Shape.COUNT:
            return _collect([value], _count)
        case Shape.WORDS | Shape.PHRASE:
            return _terms(value, whole=shape is Shape.PHRASE)
        case Shape.PAIR:
            return _pair(field, value)
        case Shape.MANY:
            if not isinstance(value, list | tuple):
                return Operands(problems=(f"value is {describe(value)}, not a list such as [a, b]",))
            if len(value) > MAX_VALUES:
                return Operands(problems=(f"value has {len(value)} entries, at most {MAX_VALUES} are allowed",))
            return _collect(value, _reader(field), listed=True)
    assert_never(shape)


def describe(value: object) -> str:
    """A value's type in the words people use."""
    if isinstance(value, datetime):
        return "a time"
    if isinstance(value, date):
        return "a day"
    return next((words for kind, words in _TYPE_WORDS.items() if isinstance(value, kind)), "not a plain value")


def shown(value: object) -> str:
    """A value for a message, cut short."""
    text = str(value)
    return repr(text if len(text) <= 40 else text[:40] + "…")


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], (), {})


def _collect(
    values: list[object] | tuple[object, ...], read: Callable[[object], Scalar], *, listed: bool = False
) -> Operands:
    found: list[Scalar] = []
    problems: list[str] = []
    for position, value in enumerate(values):
        name = f"value[{position}]" if listed else "value"
        try:
            if _is_missing(value):
                raise _OperandError("is missing")
            found.append(read(value))
        except _OperandError as wrong:
            problems.append(f"{name} {wrong}")
            if len(problems) == _MOST_PROBLEMS and position + 1 < len(values):
                problems.append(f"value has {len(values) - position - 1} more entries that were not looked at")
                break
    return Operands(problems=tuple(problems)) if problems else Operands(tuple(found))


def _reader(field: FilterField) -> Callable[[object], Scalar]:
    match field.kind:
        case Kind.ENUM:
            return lambda value: _member(value, field.values)
        case Kind.DATE:
            return _day
        case Kind.TIMESTAMP:
            return _point
        case Kind.YES_NO:
            return _yes_no
        case Kind.DURATION:
            return _duration
        case Kind.RATIO:
            return _ratio
        case Kind.INTEGER | Kind.DECIMAL:
            return _number
        case Kind.TEXT | Kind.WORDS:
            return _text
    assert_never(field.kind)


def _pair(field: FilterField, value: object) -> Operands:
    if not isinstance(value, list | tuple) or len(value) != _PAIR:
        given = f"a list of {len(value)}" if isinstance(value, list | tuple) else describe(value)
        return Operands(problems=(f"value is {given}, not a list of two, [low, high]",))
    operands = _collect(value, _reader(field), listed=True)
    if operands.problems:
        return operands
    if _is_reversed(*operands.values):
        return Operands(problems=(f"value is reversed: {shown(value[0])} comes after {shown(value[1])}",))
    return operands


def _is_reversed(low: Any, high: Any) -> bool:
    """Whether the second operand certainly ends before the first begins, in whatever zone they are read."""
    if not isinstance(low, date):
        return bool(low > high)
    first, last = (
        point if isinstance(point, datetime) else datetime.combine(point, edge)
        for point, edge in ((low, time.min), (high, time.max))
    )
    in_doubt = _LARGEST_OFFSET if (first.tzinfo is None) != (last.tzinfo is None) else timedelta()
    return _as_utc(first) - _as_utc(last) > in_doubt


def _as_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _terms(value: object, *, whole: bool) -> Operands:
    # Text is one phrase, or split at spaces; in a list every entry is a word or a phrase of its own.
    if isinstance(value, str) and len(value) > MAX_CHARS:
        return Operands(problems=(f"value has {len(value)} characters, at most {MAX_CHARS} are allowed",))
    if isinstance(value, list | tuple) and len(value) > MAX_WORDS:
        return Operands(problems=(f"value has {len(value)} entries, at most {MAX_WORDS} words are allowed",))
    entries: list[object]
    if isinstance(value, str):
        entries = [value] if whole else list(value.split())
    elif isinstance(value, list | tuple) and not whole:
        entries = list(value)
    else:
        expected = "text" if whole else "words, as text or as a list"
        return Operands(problems=(f"value is {describe(value)}, not {expected}",))
    operands = _collect(entries, _term, listed=not isinstance(value, str))
    terms = [str(term) for term in operands.values]
    count, length = sum(len(words_of(term)) for term in terms), sum(map(len, terms))
    if count > MAX_WORDS:
        return Operands(problems=(f"value has {count} words, at most {MAX_WORDS} are allowed",))
    if length > MAX_CHARS:
        return Operands(problems=(f"value has {length} characters, at most {MAX_CHARS} are allowed",))
    return operands


def _term(value: object) -> str:
    text = _text(value)
    if not words_of(text):
        raise _OperandError("has no letter or digit to search for")
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _OperandError(f"is {describe(value)}, not text: put it in quotes")
    if len(value) > MAX_CHARS:
        raise _OperandError(f"has {len(value)} characters, at most {MAX_CHARS} are allowed")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _OperandError("has characters that are not valid Unicode") from error
    return str(value)


def _member(value: object, values: tuple[str, ...]) -> str:
    if isinstance(value, str) and value in values:
        return str(value)
    if not isinstance(value, str):
        raise _OperandError(f"is {describe(value)}, not one of {', '.join(values)}")
    hint = did_you_mean(value, values)
    raise _OperandError(f"{shown(value)} is not one of {', '.join(values)}{'.' if hint else ''}{hint}")


def _yes_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    # YAML 1.2 reads a bare `yes` as text.
    if isinstance(value, str) and value.strip().lower() in {"yes", "no"}:
        return value.strip().lower() == "yes"
    raise _OperandError(f"{shown(value)} is not yes or no: write true or false")


def _number(value: object) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _OperandError(f"is {describe(value)}, not a number")
    if isinstance(value, float) and not math.isfinite(value):
        raise _OperandError("is not a finite number")
    if abs(value) > _MAX_INTEGER:
        raise _OperandError("is too large a number")
    return float(value) if isinstance(value, float) else int(value)


def _ratio(value: object) -> int | float:
    number = _number(value)
    if not 0 <= number <= 1:
        raise _OperandError(f"{shown(number)} is not between 0 and 1: 85 % is written 0.85")
    return number


def _duration(value: object) -> int | float:
    if isinstance(value, str):
        clock = _CLOCK.fullmatch(value.strip())
        if not clock:
            raise _OperandError(f'{shown(value)} is not a duration: write "HH:MM:SS" or seconds')
        hours, minutes, seconds = (int(part) for part in clock.groups())
        return hours * 3600 + minutes * 60 + seconds
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _OperandError(f'is {describe(value)}, not a duration: write "HH:MM:SS" or seconds')
    seconds_given = _number(value)
    if seconds_given < 0:
        raise _OperandError(f"{shown(seconds_given)} is negative, a duration is not")
    return seconds_given


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _OperandError(f"is {shown(value) if isinstance(value, float) else describe(value)}, not a whole number")
    if not 1 <= value <= MAX_COUNT:
        raise _OperandError(f"must be a whole number from 1 to {MAX_COUNT}")
    return int(value)


def _point(value: object) -> date | datetime:
    try:
        return parse_point(value)
    except ValueError as error:
        raise _OperandError(f"{shown(value)} is {_reason(error)}") from error


def _day(value: object) -> date:
    point = _point(value)
    if isinstance(point, datetime):
        raise _OperandError(f"{shown(value)} is a time; this field holds days, so write a day such as 2026-11-01")
    return point


def _reason(error: ValueError) -> str:
    return str(error) if str(error).startswith("not ") else f"not a real day or time ({error})"
