"""The generated documents are what the code says now, and what they show is valid."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest
from pydantic import TypeAdapter

import reference
import store_reference
from bulk_export.definitions import models, run
from bulk_export.definitions.models import Filter
from bulk_export.definitions.values import Model
from bulk_export.definitions.yaml_file import read_yaml
from bulk_export.fields import Kind
from bulk_export.filters.completeness import problems
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.filters.operators import OPERATORS, Operator, operators_for
from filter_reference import filter_example

DOCS = Path(__file__).resolve().parents[2] / "docs"
MODELS = [model for module in (models, run) for model in vars(module).values() if isinstance(model, type)]
MODELS = sorted(
    {model for model in MODELS if issubclass(model, Model) and model is not Model}, key=lambda m: m.__name__
)
# What a run keeps of itself; nobody writes it.
INTERNAL = {"RunSnapshot"}


def test_the_definitions_reference_is_what_make_docs_writes() -> None:
    assert (DOCS / "definitions.md").read_text(encoding="utf-8") == reference.definitions_page()


def test_the_tables_of_the_output_format_are_what_make_docs_writes() -> None:
    page = (DOCS / "output-format.md").read_text(encoding="utf-8")
    assert page == reference.with_tables(page, reference.TABLES)
    assert all(f"<!-- table {name} -->" in page for name in reference.TABLES)


def test_the_recommended_table_is_what_make_docs_writes() -> None:
    sql = store_reference.PATH.read_text(encoding="utf-8")
    assert sql == store_reference.with_columns(sql)


@pytest.mark.parametrize("model", [model for model in MODELS if model.__name__ not in INTERNAL])
def test_every_key_is_described_and_its_example_is_valid(model: type[Model]) -> None:
    hints = typing.get_type_hints(model, include_extras=True)
    page = reference.definitions_page()
    for key, field in model.model_fields.items():
        if key in {"id", "type"}:
            continue
        assert field.description, key
        assert f"| `{key}` |" in page
        for example in field.examples or ():
            TypeAdapter(hints[key]).validate_python(example)


@pytest.mark.parametrize(("kind", "operator"), [(kind, one.name) for kind in Kind for one in operators_for(kind)])
def test_every_filter_shown_is_complete(kind: Kind, operator: str, tmp_path: Path) -> None:
    assert problems([as_read(filter_example(kind, OPERATORS[operator]), tmp_path)], field_catalog(())) == []
    assert OPERATORS[operator].meaning


def test_one_more_operator_is_in_the_reference_without_another_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    more = Operator(
        "not_starts_with",
        "does not start with",
        "begins otherwise, or is unknown",
        {Kind.TEXT: OPERATORS["not_contains"].condition(Kind.TEXT)},
        matches_null=True,
    )
    monkeypatch.setitem(OPERATORS, more.name, more)
    page = reference.definitions_page()
    example = "{field: last_name, operator: not_starts_with, value: García}"
    assert f"| `not_starts_with` | begins otherwise, or is unknown | `{example}` |" in page
    assert "`none_of` and `not_starts_with`. Root recordings" in page


def as_read(filter_in_yaml: str, folder: Path) -> Filter:
    (folder / "filter.yaml").write_text(filter_in_yaml)
    return Filter.model_validate(read_yaml(folder, "filter.yaml").value)
