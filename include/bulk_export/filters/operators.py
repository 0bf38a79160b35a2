"""Every filter operator: one object each, in one table, in display order.

Completeness, SQL, the JSON Schema of definitions, the pages and docs/definitions.md all read `OPERATORS`. One more
operator is one more entry here, and the Spanish of its label in the console's `es.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bulk_export.fields import Kind
from bulk_export.filters import date_spans as spans
from bulk_export.filters import number_conditions as numbers
from bulk_export.filters import text_conditions as texts
from bulk_export.filters import word_conditions as words
from bulk_export.filters.comparison import Condition, opposite
from bulk_export.filters.date_conditions import InSpan


class Shape(StrEnum):
    """What an operator's `value` looks like."""

    NOTHING = "nothing"
    ONE = "one value"
    PAIR = "a list of two, [low, high]"
    MANY = "a list of values"
    COUNT = "a whole number"
    WORDS = "words"
    PHRASE = "a phrase"


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """One filter operator.

    Attributes:
        name: as filters write it.
        label: on the pages, in English.
        meaning: which contacts match, after "a contact whose field", for docs/definitions.md.
        conditions: what it is in SQL, for each kind of field it fits.
        shape: of the filter's `value`.
        matches_null: whether an unknown value matches. The other operators never match one.
    """

    name: str
    label: str
    meaning: str
    conditions: Mapping[Kind, Condition]
    shape: Shape = Shape.ONE
    matches_null: bool = False

    def condition(self, kind: Kind) -> Condition:
        """What it is in SQL for a kind of field.

        Raises:
            LookupError: it does not fit this kind.
        """
        if kind not in self.conditions:
            raise LookupError(f"the filter operator '{self.name}' has no condition for fields of kind '{kind}'")
        return self.conditions[kind]


def operators_for(kind: Kind) -> tuple[Operator, ...]:
    """The operators that fit a kind of field, in display order."""
    return tuple(operator for operator in OPERATORS.values() if kind in operator.conditions)


def _numbers(condition: Condition) -> dict[Kind, Condition]:
    return dict.fromkeys((Kind.INTEGER, Kind.DURATION, Kind.RATIO, Kind.DECIMAL), condition)


def _dates(span: spans.DateSpan) -> dict[Kind, Condition]:
    return dict.fromkeys((Kind.DATE, Kind.TIMESTAMP), InSpan(span))


_text_equals = texts.text(lambda dialect: "{0} = ?")
_contains = texts.text(lambda dialect: dialect.contains)

_SHIPPED: Sequence[Operator] = (
    Operator("equals", "equals", "is the same", {Kind.TEXT: _text_equals, **_numbers(numbers.equals)}),
    Operator(
        "not_equals",
        "does not equal",
        "is not the same, or is unknown",
        {Kind.TEXT: opposite(_text_equals), **_numbers(opposite(numbers.equals))},
        matches_null=True,
    ),
    Operator("contains", "contains", "has it somewhere", {Kind.TEXT: _contains}),
    Operator(
        "not_contains",
        "does not contain",
        "has it nowhere, or is unknown",
        {Kind.TEXT: opposite(_contains)},
        matches_null=True,
    ),
    Operator(
        "starts_with", "starts with", "begins with it", {Kind.TEXT: texts.text(lambda dialect: dialect.starts_with)}
    ),
    Operator("ends_with", "ends with", "ends with it", {Kind.TEXT: texts.text(lambda dialect: dialect.ends_with)}),
    Operator(
        "is_any_of",
        "is any of",
        "is one of them",
        {Kind.TEXT: texts.text_is_any_of, Kind.ENUM: texts.value_is_any_of},
        Shape.MANY,
    ),
    Operator(
        "is_none_of",
        "is none of",
        "is none of them, or is unknown",
        {Kind.TEXT: opposite(texts.text_is_any_of), Kind.ENUM: opposite(texts.value_is_any_of)},
        Shape.MANY,
        matches_null=True,
    ),
    Operator("less_than", "is less than", "is less", _numbers(numbers.less_than)),
    Operator("at_most", "is at most", "is less or the same", _numbers(numbers.at_most)),
    Operator("greater_than", "is greater than", "is more", _numbers(numbers.greater_than)),
    Operator("at_least", "is at least", "is more or the same", _numbers(numbers.at_least)),
    Operator("on", "is on", "on that day, or in that minute", _dates(spans.ON)),
    Operator("before", "is before", "earlier", _dates(spans.BEFORE)),
    Operator("after", "is after", "later", _dates(spans.AFTER)),
    Operator("on_or_before", "is on or before", "that day or minute, or earlier", _dates(spans.ON_OR_BEFORE)),
    Operator("on_or_after", "is on or after", "that day or minute, or later", _dates(spans.ON_OR_AFTER)),
    Operator(
        "between",
        "is between",
        "from the first to the second, both included; a second one with a time of day is excluded",
        {**_numbers(numbers.between), **_dates(spans.BETWEEN)},
        Shape.PAIR,
    ),
    Operator(
        "is_empty",
        "is empty",
        "is unknown or empty",
        {Kind.TEXT: texts.is_empty, Kind.ENUM: texts.is_empty, **_numbers(numbers.is_empty)},
        Shape.NOTHING,
        matches_null=True,
    ),
    Operator(
        "is_not_empty",
        "is not empty",
        "is known",
        {Kind.TEXT: texts.is_not_empty, **_numbers(numbers.is_not_empty)},
        Shape.NOTHING,
    ),
    Operator("is", "is", "is yes, or is no", {Kind.YES_NO: texts.yes_no_is}),
    Operator("today", "today", "the day of the run, up to the run", _dates(spans.TODAY), Shape.NOTHING),
    Operator("yesterday", "yesterday", "the day before", _dates(spans.YESTERDAY), Shape.NOTHING),
    Operator("this_week", "this week", "since Monday, up to the run", _dates(spans.THIS_WEEK), Shape.NOTHING),
    Operator("last_week", "last week", "Monday to Sunday before", _dates(spans.LAST_WEEK), Shape.NOTHING),
    Operator("this_month", "this month", "since the first, up to the run", _dates(spans.THIS_MONTH), Shape.NOTHING),
    Operator("last_month", "last month", "the calendar month before", _dates(spans.LAST_MONTH), Shape.NOTHING),
    Operator(
        "last_days",
        "in the last … days",
        "so many complete days before the day of the run",
        _dates(spans.LAST_DAYS),
        Shape.COUNT,
    ),
    Operator("last_hours", "in the last … hours", "so many hours up to the run", _dates(spans.LAST_HOURS), Shape.COUNT),
    Operator(
        "older_than_days",
        "older than … days",
        "before the days that `last_days` would take",
        _dates(spans.OLDER_THAN_DAYS),
        Shape.COUNT,
    ),
    Operator("all_words", "has all words", "has every one of the words", {Kind.WORDS: words.has_all}, Shape.WORDS),
    Operator("any_words", "has any word", "has one of the words at least", {Kind.WORDS: words.has_any}, Shape.WORDS),
    Operator(
        "phrase", "has the phrase", "has the words one after the other", {Kind.WORDS: words.has_all}, Shape.PHRASE
    ),
    Operator(
        "none_of",
        "has none of the words",
        "has none of the words, or there is no text",
        {Kind.WORDS: opposite(words.has_any)},
        Shape.WORDS,
        matches_null=True,
    ),
)

OPERATORS: dict[str, Operator] = {operator.name: operator for operator in _SHIPPED}
