"""What can be filtered on: every field, its operators and the shape of their operands.

One table feeds completeness, compilation, the linter and the filter builder. Operators follow the kind of a field;
the three exceptions (the body text, the lifecycle flag and the has_... questions) stand at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bulk_export.fields import CSV_FIELDS, DERIVED_KEYS, STORE_FIELDS, Kind


class Shape(StrEnum):
    """What an operator's `value` looks like."""

    NOTHING = "nothing"
    ONE = "one value"
    PAIR = "a list of two, [low, high]"
    MANY = "a list of values"
    COUNT = "a whole number"
    WORDS = "words"


METADATA_PREFIX = "metadata."

_TEXT = (
    "equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with",
    "is_any_of", "is_none_of", "is_empty", "is_not_empty",
)  # fmt: skip
_NUMBER = (
    "equals", "not_equals", "less_than", "at_most", "greater_than", "at_least", "between", "is_empty", "is_not_empty",
)  # fmt: skip
_DATE = (
    "on", "before", "after", "on_or_before", "on_or_after", "between",
    "today", "yesterday", "this_week", "last_week", "this_month", "last_month",
    "last_days", "last_hours", "older_than_days",
)  # fmt: skip

OPERATORS_BY_KIND: Mapping[Kind, tuple[str, ...]] = MappingProxyType(
    {
        Kind.TEXT: _TEXT,
        Kind.INTEGER: _NUMBER,
        Kind.DURATION: _NUMBER,
        Kind.RATIO: _NUMBER,
        Kind.DECIMAL: _NUMBER,
        Kind.YES_NO: ("is",),
        Kind.ENUM: ("is_any_of", "is_none_of", "is_empty"),
        Kind.DATE: _DATE,
        Kind.TIMESTAMP: _DATE,
    }
)

WORD_OPERATORS = ("all_words", "any_words", "phrase", "none_of")

_SHAPES: Mapping[str, Shape] = MappingProxyType(
    {
        **dict.fromkeys(
            ("is_empty", "is_not_empty", "today", "yesterday", "this_week", "last_week", "this_month", "last_month"),
            Shape.NOTHING,
        ),
        "between": Shape.PAIR,
        "is_any_of": Shape.MANY,
        "is_none_of": Shape.MANY,
        **dict.fromkeys(("last_days", "last_hours", "older_than_days"), Shape.COUNT),
        **dict.fromkeys(WORD_OPERATORS, Shape.WORDS),
    }
)

# Column questions: the field is whether the store names an object.
HAS_FIELDS: Mapping[str, str] = MappingProxyType(
    {"has_audio": "audio_uri", "has_screen": "screen_uri", "has_transcript": "transcript_uri"}
)

# CSV columns that are written from another field: what to filter on instead.
WRITTEN_FROM: Mapping[str, str] = MappingProxyType({"date": "started_at", "time": "started_at", "text_preview": "text"})

_FILTERABLE_STORE_KEYS = ("started_at", "updated_at", "recycled")


@dataclass(frozen=True, slots=True)
class FilterField:
    """One field that filters may name.

    Attributes:
        key: name in filters: a column of the store, `metadata.<key>`, `text` or `has_...`.
        kind: type of its values and operands.
        operators: names that fit it, in display order.
        values: the valid values of an enumeration.
    """

    key: str
    kind: Kind
    operators: tuple[str, ...]
    values: tuple[str, ...] = ()


def shape_of(operator: str) -> Shape:
    """The shape of an operator's `value`; an operator not listed takes one value."""
    return _SHAPES.get(operator, Shape.ONE)


def catalogue(exportable_metadata: Sequence[str]) -> Mapping[str, FilterField]:
    """Every field that can be filtered on, by key, in display order.

    Args:
        exportable_metadata: the administrator's custom metadata keys, in their order.
    """
    fields: dict[str, FilterField] = {}
    store = {field.key: field for field in STORE_FIELDS}
    columns = [store[key] for key in _FILTERABLE_STORE_KEYS]
    columns += [field for field in CSV_FIELDS if field.key not in DERIVED_KEYS]
    for field in columns:
        fields[field.key] = FilterField(field.key, field.kind, OPERATORS_BY_KIND[field.kind], field.values)
    for key in HAS_FIELDS:
        fields[key] = FilterField(key, Kind.YES_NO, OPERATORS_BY_KIND[Kind.YES_NO])
    fields["text"] = FilterField("text", Kind.TEXT, WORD_OPERATORS)
    for key in exportable_metadata:
        name = METADATA_PREFIX + key
        fields[name] = FilterField(name, Kind.TEXT, OPERATORS_BY_KIND[Kind.TEXT])
    return MappingProxyType(fields)
