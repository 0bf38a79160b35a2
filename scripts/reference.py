"""Write docs/definitions.md and the tables of docs/output-format.md.

`make docs` runs it; a test fails when a document is not what it writes.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import store_reference
from bulk_export.definitions import models, run, settings, values
from bulk_export.definitions.choices import OneOf
from bulk_export.definitions.kinds import KindSettings
from filter_reference import filters_section
from markdown_table import table
from output_reference import TABLES, with_tables

DOCS = Path(__file__).resolve().parents[1] / "docs"

INTRODUCTION = """\
# Definitions: every key

Written by `make docs` from `include/bulk_export/definitions/` and `filters/`; edit those, not this page.

One file per saved search, one per saved export, one `settings.yaml`, in one folder (`include/definitions` unless
`--definitions` names another). A file's name without `.yaml` is its id. Links are refused, also of `searches/` and
`exports/`; the folder itself may be reached through one. The files are YAML 1.2: `yes`, `on` and `02:30`
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


def definitions_page() -> str:
    """The whole of docs/definitions.md."""
    parts = [INTRODUCTION]
    for file, model in FILES:
        parts.append(f"## {file}\n\n{model.__doc__}\n\n{_keys_table(model)}")
        parts += [f"### {name}\n\n{part.__doc__}\n\n{_keys_table(part)}" for name, part in _parts(model, "")]
    parts.append(filters_section())
    parts.append(_parameters())
    return "\n".join(parts)


# --- keys ------------------------------------------------------------------------------------------------------


def _parts(model: type[BaseModel], place: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """The models inside of a model, each with its place."""
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
    # What a base class adds comes last.
    ordered = sorted(model.model_fields.items(), key=lambda item: item[0] not in model.__annotations__)
    rows = [
        (f"`{key}`", _type(hints[key]), _default(field), field.description or _of_type(key), _example(key, field))
        for key, field in ordered
        if key != "id"
    ]
    return table(("key", "type", "default", "meaning", "example"), rows)


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
        choices = next((note for note in arguments if isinstance(note, OneOf)), None)
        return _names(choices.names()) if choices else _type(arguments[0])
    if origin is typing.Literal:
        return _names(arguments)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_type(argument) for argument in arguments if argument is not type(None))
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    return PLAIN_WORDS[getattr(hint, "__name__", str(hint))]


def _names(values: Iterable[object]) -> str:
    return " ".join(f"`{value}`" for value in values)


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
    """Write both documents, and the columns of the recommended table."""
    (DOCS / "definitions.md").write_text(definitions_page(), encoding="utf-8")
    page = DOCS / "output-format.md"
    page.write_text(with_tables(page.read_text(encoding="utf-8"), TABLES), encoding="utf-8")
    store_reference.PATH.write_text(
        store_reference.with_columns(store_reference.PATH.read_text(encoding="utf-8")), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
