"""An operator is one object: whoever needs to know of operators asks the table, at the moment of use."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest

from bulk_export.contacts.schema import canonical_schema
from bulk_export.definitions.json_schema import definitions_schema
from bulk_export.definitions.models import Filter
from bulk_export.fields import Kind
from bulk_export.filters.comparison import opposite
from bulk_export.filters.compile import compile_filters
from bulk_export.filters.completeness import problems
from bulk_export.filters.dialect import DIALECTS
from bulk_export.filters.field_catalog import FilterField, field_catalog
from bulk_export.filters.operators import OPERATORS, Operator, Shape, operators_for
from bulk_export.filters.selection import Selection
from bulk_export.filters.text_conditions import text

AS_OF = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
FIELDS = field_catalog(())
NOT_STARTS_WITH = Operator(
    "not_starts_with",
    "does not start with",
    "begins otherwise, or is unknown",
    {Kind.TEXT: opposite(text(lambda dialect: dialect.starts_with))},
    matches_null=True,
)
VALUES: dict[Kind, object] = {
    Kind.TEXT: "a",
    Kind.WORDS: "a",
    Kind.INTEGER: 1,
    Kind.DURATION: 1,
    Kind.RATIO: 1,
    Kind.DECIMAL: 1,
    Kind.YES_NO: True,
    Kind.DATE: "2026-11-01",
    Kind.TIMESTAMP: "2026-11-01",
}


@pytest.fixture
def one_more(monkeypatch: pytest.MonkeyPatch) -> Operator:
    monkeypatch.setitem(OPERATORS, NOT_STARTS_WITH.name, NOT_STARTS_WITH)
    return NOT_STARTS_WITH


def compiled(item: Filter, dialect: str = "duckdb") -> Selection:
    return compile_filters([item], as_of=AS_OF, zone="UTC", catalog=FIELDS, dialect=dialect)


def test_one_more_operator_is_offered_by_the_json_schema_of_searches(one_more: Operator) -> None:
    definitions = definitions_schema()["$defs"]
    assert isinstance(definitions, dict)
    names = definitions["search"]["$defs"]["Filter"]["properties"]["operator"]["enum"]
    assert names == [*OPERATORS, None]
    assert one_more.name in names


def test_one_more_operator_completes_a_filter_on_the_fields_it_fits_and_no_other(one_more: Operator) -> None:
    assert problems([Filter(field="last_name", operator=one_more.name, value="Nú")], FIELDS) == []
    assert "value is missing" in str(problems([Filter(field="last_name", operator=one_more.name)], FIELDS)[0])
    misfit = str(problems([Filter(field="score", operator=one_more.name, value=1)], FIELDS)[0])
    assert "does not fit score, which takes equals, not_equals, less_than" in misfit
    mistyped = str(problems([Filter(field="last_name", operator="not_start_with", value="a")], FIELDS)[0])
    assert "Did you mean 'not_starts_with'?" in mistyped


@pytest.mark.parametrize("dialect", DIALECTS)
def test_one_more_operator_becomes_sql_of_every_dialect(one_more: Operator, dialect: str) -> None:
    starts = compiled(Filter(field="last_name", operator="starts_with", value="Nú"), dialect)
    other = compiled(Filter(field="last_name", operator=one_more.name, value="Nú"), dialect)
    assert other.parameters == ("nú",)
    assert other.sql == f"((({starts.sql.removeprefix('(').removesuffix(')')}) IS NOT TRUE))"


def test_one_more_operator_selects_what_it_says(one_more: Operator) -> None:
    selection = compiled(Filter(field="last_name", operator=one_more.name, value="NÚ"))
    rows = duckdb.execute(
        "SELECT last_name FROM (VALUES ('Núñez'), ('Ortiz'), (NULL)) AS contacts (last_name)"
        f" WHERE {selection.sql} ORDER BY last_name",
        selection.parameters,
    ).fetchall()
    assert rows == [("Ortiz",), (None,)]


def test_an_operator_without_a_condition_for_a_kind_of_field_raises_instead_of_meaning_another_one() -> None:
    with pytest.raises(LookupError, match="'contains' has no condition for fields of kind 'integer'"):
        OPERATORS["contains"].condition(Kind.INTEGER)


def test_every_kind_of_field_has_operators_and_no_two_of_one_label() -> None:
    for kind in Kind:
        labels = [operator.label for operator in operators_for(kind)]
        assert labels
        assert len(set(labels)) == len(labels)
    assert list(OPERATORS) == [operator.name for operator in OPERATORS.values()]


@pytest.mark.parametrize(("kind", "name"), [(kind, one.name) for kind in Kind for one in operators_for(kind)])
def test_a_null_matches_the_operators_that_say_so_and_no_other(kind: Kind, name: str) -> None:
    # Fields that ask whether something is there are never null.
    field = next(field for field in FIELDS.values() if field.kind is kind and field.key != "recycled")
    selection = compiled(Filter(field=field.key, operator=name, value=value(field, name)))
    sql_type = {"string": "VARCHAR", "timestamp[us, tz=UTC]": "TIMESTAMP", "date32[day]": "DATE"}
    held = str(canonical_schema((), with_text=True).field(field.key).type)
    found = duckdb.execute(
        f"SELECT count(*) FROM (SELECT NULL::{sql_type.get(held, held)} AS {field.key}) AS contacts"
        f" WHERE {selection.sql}",
        selection.parameters,
    ).fetchone()
    assert found == (int(OPERATORS[name].matches_null),)


def value(field: FilterField, operator: str) -> object:
    one = field.values[0] if field.values else VALUES[field.kind]
    shapes = {Shape.NOTHING: None, Shape.PAIR: [one, one], Shape.MANY: [one], Shape.COUNT: 7}
    return shapes.get(OPERATORS[operator].shape, one)
