"""Write docs/definitions.md and the tables of docs/output-format.md.

`make docs` runs it; a test fails when a document is not what it writes.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bulk_export.definitions import models, run, settings, values
from bulk_export.definitions.kinds import KindSettings
from bulk_export.fields import CSV_FIELDS, DERIVED_KEYS, Kind
from bulk_export.filters.field_catalog import HAS_FIELDS, OPERATORS_BY_KIND, WORD_OPERATORS, catalogue, shape_of
from output_reference import TABLES, with_tables

DOCS = Path(__file__).resolve().parents[1] / "docs"

INTRODUCTION = """\
# Definitions: every key

Written by `make docs` from `include/bulk_export/definitions/` and `filters/`; edit those, not this page.

One file per saved search, one per saved export, one `settings.yaml`, in one folder (`include/definitions` unless
`--definitions` names another). A file's name without `.yaml` is its id. The files are YAML 1.2: `yes`, `on` and `02:30`
are text. Unknown keys are refused. `bulk-export validate` lists every problem of every file with line and nearest valid
name; `bulk-export schema definitions` prints the same keys as JSON Schema, for editors.
"""

FILES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("settings.yaml", settings.Settings),
    ("searches/<id>.yaml", models.SavedSearch),
    ("exports/<id>.yaml", models.SavedExport),
)

# In the words of a person who fills in the key; compared with == because an alias has no name of its own.
TYPE_WORDS: tuple[tuple[object, str], ...] = (
    (values.Zone, "IANA time zone"),
    (values.Text, "text"),
    (values.TimeOfDay, "time of day"),
    (values.Identifier, "id"),
    (values.AwareTime, "time with offset"),
    (values.Cron, "cron expression"),
    (typing.Any, "see below"),
)
PLAIN_WORDS = {
    "str": "text",
    "int": "whole number",
    "bool": "true or false",
    "float": "number",
    "date": "day",
    "NoneType": "nothing",
}

OPERATOR_WORDS = {
    "equals": "is the same",
    "not_equals": "is not the same, or is unknown",
    "contains": "has it somewhere",
    "not_contains": "has it nowhere, or is unknown",
    "starts_with": "begins with it",
    "ends_with": "ends with it",
    "is_any_of": "is one of them",
    "is_none_of": "is none of them, or is unknown",
    "is_empty": "is unknown or empty",
    "is_not_empty": "is known",
    "less_than": "is less",
    "at_most": "is less or the same",
    "greater_than": "is more",
    "at_least": "is more or the same",
    "between": "from the first to the second, both included; a second one with a time of day is excluded",
    "is": "is yes, or is no",
    "on": "on that day, or in that minute",
    "before": "earlier",
    "after": "later",
    "on_or_before": "that day or minute, or earlier",
    "on_or_after": "that day or minute, or later",
    "today": "the day of the run, up to the run",
    "yesterday": "the day before",
    "this_week": "since Monday, up to the run",
    "last_week": "Monday to Sunday before",
    "this_month": "since the first, up to the run",
    "last_month": "the calendar month before",
    "last_days": "so many complete days before the day of the run",
    "last_hours": "so many hours up to the run",
    "older_than_days": "before the days that `last_days` would take",
    "all_words": "has every one of the words",
    "any_words": "has one of the words at least",
    "phrase": "has the words one after the other",
    "none_of": "has none of the words, or there is no text",
}

# One field and valid values for each kind: for one value, for a pair, for a list.
EXAMPLES: Mapping[Kind, tuple[str, str, str, str]] = {
    Kind.TEXT: ("last_name", "García", "", "[García, Nguyen]"),
    Kind.INTEGER: ("score", "80", "[60, 80]", ""),
    Kind.DURATION: ("call_duration", '"00:10:00"', "[60, 600]", ""),
    Kind.RATIO: ("hold_ratio", "0.25", "[0.1, 0.25]", ""),
    Kind.DECIMAL: ("net_promoter_score", "6.5", "[6.5, 9]", ""),
    Kind.YES_NO: ("hr", "true", "", ""),
    Kind.ENUM: ("contact_type", "", "", "[CALL, CHAT]"),
    Kind.DATE: ("date_evaluated", "2026-11-01", "[2026-11-01, 2026-11-30]", ""),
    Kind.TIMESTAMP: ("started_at", "2026-11-01T08:00", "[2026-11-01, 2026-11-30]", ""),
}
OPERAND_WORDS = {
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


def definitions_page() -> str:
    """The whole of docs/definitions.md."""
    parts = [INTRODUCTION]
    for file, model in FILES:
        parts.append(f"## {file}\n\n{model.__doc__}\n\n{_keys_table(model)}")
        parts += [f"### {name}\n\n{part.__doc__}\n\n{_keys_table(part)}" for name, part in _parts(model, "")]
    parts.append(_filters())
    parts.append(_parameters())
    return "\n".join(parts)


# --- keys ------------------------------------------------------------------------------------------------------


def _parts(model: type[BaseModel], place: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """The models inside of a model, each with the place it stands at."""
    for key, hint in typing.get_type_hints(model, include_extras=True).items():
        if key.startswith("model_") or key == "id":
            continue
        where = f"{place}{key}"
        for part in _models_in(hint):
            kinds = typing.get_args(part.model_fields["type"].annotation) if "type" in part.model_fields else ()
            name = f"`{where}`" + (f" of type `{kinds[0]}`" if len(kinds) == 1 else "")
            # The staging area is described as a storage location is.
            if key != "staging":
                yield name, part
                yield from _parts(part, f"{where}.")


def _models_in(hint: object) -> list[type[BaseModel]]:
    if isinstance(hint, type) and issubclass(hint, KindSettings):
        return [*hint.alternatives()]
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return [hint]
    # The second argument of Annotated and so on: no type, so it gives nothing.
    return [model for argument in typing.get_args(hint) for model in _models_in(argument)]


def _keys_table(model: type[BaseModel]) -> str:
    hints = typing.get_type_hints(model, include_extras=True)
    # What a base class adds stands last.
    ordered = sorted(model.model_fields.items(), key=lambda item: item[0] not in model.__annotations__)
    rows = [
        (f"`{key}`", _type(hints[key]), _default(field), field.description or _of_type(key), _example(key, field))
        for key, field in ordered
        if key != "id"
    ]
    return _table(("key", "type", "default", "meaning", "example"), rows)


def _of_type(key: str) -> str:
    if key == "type":
        return "Which kind it is."
    raise ValueError(f"the key '{key}' has no description: add one to its model")


def _type(hint: object) -> str:
    for alias, words in TYPE_WORDS:
        if hint == alias:
            return words
    if _models_in(hint):
        several: dict[object, str] = {dict: "mapping of names to mappings", tuple: "list of mappings"}
        return several.get(typing.get_origin(hint), "mapping")
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin is typing.Literal:
        return " ".join(f"`{value}`" for value in arguments)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_type(argument) for argument in arguments if argument is not type(None))
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    return PLAIN_WORDS[getattr(hint, "__name__", str(hint))]


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "**required**"
    default = field.default
    if default is None or default in ("", ()) or isinstance(default, BaseModel):
        return ""
    return f"`{_yaml(default)}`"


def _example(key: str, field: FieldInfo) -> str:
    return f"`{key}: {_yaml(field.examples[0])}`" if field.examples else ""


def _yaml(value: object) -> str:
    """A value as it is written in YAML, on one line."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_yaml(item) for item in value)}]"
    if isinstance(value, str):
        plain = value.replace("_", "").replace("-", "").replace(" ", "").replace("/", "").isalnum()
        return value if plain and not value[0].isdigit() else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


# --- filters ---------------------------------------------------------------------------------------------------


def _filters() -> str:
    by_operators: dict[tuple[str, ...], list[Kind]] = {}
    for kind, operators in OPERATORS_BY_KIND.items():
        by_operators.setdefault(operators, []).append(kind)
    sections = [_operators(kinds, operators) for operators, kinds in by_operators.items()]
    words = [(f"`{name}`", OPERATOR_WORDS[name], f"`{word_filter_example(name)}`") for name in WORD_OPERATORS]
    return (
        "## Filters\n\n"
        "A filter is `{field, operator, value, time_zone}`. It is complete when the field exists, the operator fits it "
        "and the value has the right form; a run with an incomplete one is refused. A contact must meet all filters of "
        "a search. What is unknown matches no comparison, and does match `is_empty`, `not_equals`, `not_contains`, "
        "`is_none_of` and `none_of`. Root recordings are never exported.\n\n"
        "Days and times without an offset are in the filter's `time_zone`; relative ones count from the run's logical "
        "date, so that a run for an old date selects what it would have selected then. The week starts on Monday.\n\n"
        f"### Fields\n\n{_fields_table()}\n"
        + "\n".join(sections)
        + "\n### `text`: words in transcripts, e-mails and chats\n\n"
        "Values: words, as text (split at spaces) or as a list; an entry of a list, or the text of `phrase`, may be a "
        "phrase. Whole words are found, in any case. A search with such a filter fills the CSV's *Text Preview*.\n\n"
        + _table(("operator", "matches a contact whose text", "example"), words)
    )


def _operators(kinds: list[Kind], operators: tuple[str, ...]) -> str:
    """The section of the kinds that take these operators."""
    heading = ", ".join(kind.value for kind in kinds).capitalize()
    forms = "".join(
        f"- {kind.value}: {OPERAND_WORDS[kind]}, as in `{filter_example(kind, operators[0])}`\n" for kind in kinds
    )
    rows = [(f"`{name}`", OPERATOR_WORDS[name], f"`{filter_example(kinds[-1], name)}`") for name in operators]
    header = ("operator", "matches a contact whose field", "example")
    return f"### {heading}\n\nValues:\n\n{forms}\n{_table(header, rows)}"


def _fields_table() -> str:
    headers = {field.key: field.header for field in CSV_FIELDS if field.key not in DERIVED_KEYS}
    rows = []
    for field in catalogue(()).values():
        what = headers.get(field.key) or _OTHER_FIELDS[field.key]
        kind = "words" if field.key == "text" else field.kind.value
        rows.append((f"`{field.key}`", kind, what, ", ".join(field.values)))
    rows.append(("`metadata.<key>`", "text", "custom metadata, each key of `exportable_metadata`", ""))
    return _table(("field", "kind", "CSV column, or what it is", "valid values"), rows)


_OTHER_FIELDS = {
    "started_at": "when the contact started (Date, Time)",
    "updated_at": "when the store last changed the contact",
    "recycled": "whether the contact is recycled",
    "text": "words of the transcript, e-mail or chat",
    **{key: f"whether the store names an object in `{column}`" for key, column in HAS_FIELDS.items()},
}


def filter_example(kind: Kind, operator: str) -> str:
    """A complete filter, as it is written in YAML."""
    field, one, pair, many = EXAMPLES[kind]
    value = {"nothing": "", "a list of two, [low, high]": pair, "a list of values": many, "a whole number": "7"}.get(
        shape_of(operator).value, one
    )
    return f"{{field: {field}, operator: {operator}{', value: ' + value if value else ''}}}"


def word_filter_example(operator: str) -> str:
    """A complete filter on `text`, as it is written in YAML."""
    value = "thank you" if operator == "phrase" else "[cancel, money back]"
    return f"{{field: text, operator: {operator}, value: {value}}}"


# --- parameters ------------------------------------------------------------------------------------------------


def _parameters() -> str:
    return (
        "## Run parameters\n\n"
        "What may be changed for one run: in the trigger form of its DAG, as `conf` of Airflow's API, or as options of "
        "`bulk-export run` (`--from`, `--until`, and the others by name).\n\n"
        f"{_keys_table(run.RunParameters)}\n"
        "## An export sent at once\n\n"
        "The form of the DAG `bulk_contact_export_now`.\n\n" + _keys_table(run.ImmediateExport)
    )


def main() -> None:
    """Write both documents."""
    (DOCS / "definitions.md").write_text(definitions_page(), encoding="utf-8")
    page = DOCS / "output-format.md"
    page.write_text(with_tables(page.read_text(encoding="utf-8"), TABLES), encoding="utf-8")


if __name__ == "__main__":
    main()
