"""The generated documents are what the code says now, and what they show is valid."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest
from pydantic import TypeAdapter

import reference
from bulk_export.definitions import models, run
from bulk_export.definitions.models import Filter
from bulk_export.definitions.values import Model
from bulk_export.definitions.yaml_file import read_yaml
from bulk_export.fields import Kind
from bulk_export.filters.completeness import problems
from bulk_export.filters.field_catalog import OPERATORS_BY_KIND, WORD_OPERATORS, catalogue

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


@pytest.mark.parametrize(
    ("kind", "operator"), [(kind, name) for kind, operators in OPERATORS_BY_KIND.items() for name in operators]
)
def test_every_filter_shown_is_complete(kind: Kind, operator: str, tmp_path: Path) -> None:
    assert problems([as_read(reference.filter_example(kind, operator), tmp_path)], catalogue(())) == []
    assert reference.OPERATOR_WORDS[operator]


@pytest.mark.parametrize("operator", WORD_OPERATORS)
def test_every_word_filter_shown_is_complete(operator: str, tmp_path: Path) -> None:
    assert problems([as_read(reference.word_filter_example(operator), tmp_path)], catalogue(())) == []


def as_read(filter_in_yaml: str, folder: Path) -> Filter:
    (folder / "filter.yaml").write_text(filter_in_yaml)
    return Filter.model_validate(read_yaml(folder / "filter.yaml", "filter.yaml").value)
