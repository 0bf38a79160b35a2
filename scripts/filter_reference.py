"""Write the filters' part of docs/definitions.md.

Every field, and every operator by the kind of field it fits.
"""

from __future__ import annotations

from collections.abc import Mapping

from bulk_export.fields import CSV_FIELDS, DERIVED_KEYS, Kind
from bulk_export.filters.field_catalog import HAS_FIELDS, field_catalog
from bulk_export.filters.limits import (
    MAX_CHARS,
    MAX_CONTACT_ZONE_FILTERS,
    MAX_FILTERS,
    MAX_SEARCH_WORDS,
    MAX_VALUES,
    MAX_WORDS,
)
from bulk_export.filters.operators import OPERATORS, Operator, Shape, operators_for
from markdown_table import table

# For each kind a field, and valid values of the shapes that its operators take.
_EXAMPLES: Mapping[Kind, tuple[str, Mapping[Shape, str]]] = {
    Kind.TEXT: ("last_name", {Shape.ONE: "García", Shape.MANY: "[García, Nguyen]"}),
    Kind.WORDS: ("text", {Shape.WORDS: "[cancel, money back]", Shape.PHRASE: "thank you"}),
    Kind.INTEGER: ("score", {Shape.ONE: "80", Shape.PAIR: "[60, 80]"}),
    Kind.DURATION: ("call_duration", {Shape.ONE: '"00:10:00"', Shape.PAIR: "[60, 600]"}),
    Kind.RATIO: ("hold_ratio", {Shape.ONE: "0.25", Shape.PAIR: "[0.1, 0.25]"}),
    Kind.DECIMAL: ("net_promoter_score", {Shape.ONE: "6.5", Shape.PAIR: "[6.5, 9]"}),
    Kind.YES_NO: ("hr", {Shape.ONE: "true"}),
    Kind.ENUM: ("contact_type", {Shape.MANY: "[CALL, CHAT]"}),
    Kind.DATE: ("date_evaluated", {Shape.ONE: "2026-11-01", Shape.PAIR: "[2026-11-01, 2026-11-30]"}),
    Kind.TIMESTAMP: ("started_at", {Shape.ONE: "2026-11-01T08:00", Shape.PAIR: "[2026-11-01, 2026-11-30]"}),
}
_COUNT = "7"
_OPERAND_WORDS: Mapping[Kind, str] = {
    Kind.TEXT: "text; upper and lower case are the same, `%` and `_` are ordinary characters",
    Kind.INTEGER: "a number",
    Kind.DURATION: '`"HH:MM:SS"` or seconds',
    Kind.RATIO: "a number from 0 to 1",
    Kind.DECIMAL: "a number",
    Kind.YES_NO: "`true` or `false`",
    Kind.ENUM: "valid values of the field",
    Kind.DATE: "a day",
    Kind.TIMESTAMP: "a day, or a time with or without offset",
}
_OTHER_FIELDS: Mapping[str, str] = {
    "started_at": "when the contact started (Date, Time)",
    "updated_at": "when the store last changed the contact",
    "recycled": "whether the contact is recycled",
    "text": "words of the transcript, e-mail or chat",
    **{key: f"whether the store names an object in `{column}`" for key, column in HAS_FIELDS.items()},
}


def filters_section() -> str:
    """The section "Filters"."""
    by_operators: dict[tuple[Operator, ...], list[Kind]] = {}
    for kind in _OPERAND_WORDS:
        by_operators.setdefault(operators_for(kind), []).append(kind)
    sections = [_operators(kinds, operators) for operators, kinds in by_operators.items()]
    words = [_row(Kind.WORDS, operator) for operator in operators_for(Kind.WORDS)]
    return (
        "## Filters\n\n"
        "A filter is `{field, operator, value, time_zone}`. It is complete when the field exists, the operator fits it "
        "and the value has the right form; a run with an incomplete one is refused. A contact must meet all filters of "
        f"a search. What is unknown matches no comparison, and does match {_matching_null()}. "
        "Root recordings are never exported.\n\n"
        "Days and times without an offset are in the filter's `time_zone`; relative ones count from the run's logical "
        "date, so that a run for an old date selects what it would have selected then. The week starts on Monday.\n\n"
        f"A search has at most {MAX_FILTERS} filters, of them {MAX_CONTACT_ZONE_FILTERS} on days and times in each "
        f"contact's own zone, and {MAX_SEARCH_WORDS} words in all its filters on `text`. A value has at most "
        f"{MAX_VALUES:,} entries or {MAX_WORDS} words, a text at most {MAX_CHARS:,} characters. A larger search is "
        "refused like an incomplete one.\n\n"
        f"### Fields\n\n{_fields_table()}\n"
        + "\n".join(sections)
        + "\n### `text`: words in transcripts, e-mails and chats\n\n"
        "Values: words, as text (split at spaces) or as a list; an entry of a list, or the text of `phrase`, may be a "
        "phrase. Whole words are found, in any case. A search with such a filter fills the CSV's *Text Preview*.\n\n"
        + table(("operator", "matches a contact whose text", "example"), words)
    )


def filter_example(kind: Kind, operator: Operator) -> str:
    """A complete filter, as it is written in YAML.

    Raises:
        ValueError: there is no example of the operator's shape for this kind: `_EXAMPLES` needs one.
    """
    field, values = _EXAMPLES[kind]
    if operator.shape is Shape.NOTHING:
        return f"{{field: {field}, operator: {operator.name}}}"
    value = {Shape.COUNT: _COUNT, **values}.get(operator.shape)
    if value is None:
        raise ValueError(f"no example of '{operator.shape}' for the kind '{kind}', which '{operator.name}' takes")
    return f"{{field: {field}, operator: {operator.name}, value: {value}}}"


def _row(kind: Kind, operator: Operator) -> tuple[str, str, str]:
    return f"`{operator.name}`", operator.meaning, f"`{filter_example(kind, operator)}`"


def _operators(kinds: list[Kind], operators: tuple[Operator, ...]) -> str:
    """The section of the kinds that take these operators."""
    heading = ", ".join(kind.value for kind in kinds).capitalize()
    forms = "".join(
        f"- {kind.value}: {_OPERAND_WORDS[kind]}, as in `{filter_example(kind, operators[0])}`\n" for kind in kinds
    )
    rows = [_row(kinds[-1], operator) for operator in operators]
    header = ("operator", "matches a contact whose field", "example")
    return f"### {heading}\n\nValues:\n\n{forms}\n{table(header, rows)}"


def _matching_null() -> str:
    *others, last = (f"`{operator.name}`" for operator in OPERATORS.values() if operator.matches_null)
    return f"{', '.join(others)} and {last}"


def _fields_table() -> str:
    headers = {field.key: field.header for field in CSV_FIELDS if field.key not in DERIVED_KEYS}
    rows = []
    for field in field_catalog(()).values():
        meaning = headers.get(field.key) or _OTHER_FIELDS[field.key]
        rows.append((f"`{field.key}`", field.kind.value, meaning, ", ".join(field.values)))
    rows.append(("`metadata.<key>`", "text", "custom metadata, each key of `exportable_metadata`", ""))
    return table(("field", "kind", "CSV column, or what it is", "valid values"), rows)
