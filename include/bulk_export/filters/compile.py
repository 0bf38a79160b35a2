"""Turn complete filters into one WHERE condition.

SQL comes from the catalogue and the dialect; every value is bound.

Nothing a person wrote enters the SQL text, field names included: identifiers are the catalogue's own keys, metadata
keys are bound. A null never makes a comparison true, except where an operator says so (`Operator.matches_null`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from bulk_export.errors import DefinitionError
from bulk_export.filters.comparison import Comparison
from bulk_export.filters.completeness import problems
from bulk_export.filters.dates import utc_naive
from bulk_export.filters.dialect import DIALECTS, Dialect
from bulk_export.filters.field_catalog import HAS_FIELDS, METADATA_PREFIX, FilterField
from bulk_export.filters.operands import read_operands
from bulk_export.filters.operators import OPERATORS
from bulk_export.filters.selection import Selection, joined

if TYPE_CHECKING:
    from bulk_export.definitions.models import Filter


def compile_filters(
    filters: Sequence[Filter],
    *,
    as_of: datetime,
    zone: str,
    catalog: Mapping[str, FilterField],
    dialect: str = "duckdb",
    started_between: tuple[datetime, datetime] | None = None,
) -> Selection:
    """The condition that all filters meet.

    Args:
        filters: of a saved search.
        as_of: the run's logical date, aware; relative dates look back from it.
        zone: the environment's IANA zone, for filters that name none and for contacts whose zone is unknown.
        catalog: fields that may be filtered on.
        dialect: a key of `dialect.DIALECTS`.
        started_between: `[from, to)`, aware; replaces the search's own filters on `started_at`.

    Raises:
        DefinitionError: FILTER_INCOMPLETE, naming every incomplete filter.
    """
    found = problems(filters, catalog)
    if found:
        raise DefinitionError(
            "FILTER_INCOMPLETE",
            "; ".join(str(problem) for problem in found),
            hint="Complete or remove these filters in the saved search.",
        )
    conditions = []
    if started_between is not None:
        start, end = (utc_naive(bound) for bound in started_between)
        conditions.append(Selection("contacts.started_at >= ? AND contacts.started_at < ?", (start, end)))
        filters = [item for item in filters if item.field != "started_at"]
    for item in filters:
        assert item.field is not None and item.operator is not None  # complete
        field = catalog[item.field]
        comparison = Comparison(
            column=_column(field, DIALECTS[dialect]),
            kind=field.kind,
            operands=read_operands(field, item.operator, item.value).values,
            dialect=DIALECTS[dialect],
            as_of=as_of,
            zone=item.time_zone or zone,
            environment_zone=zone,
        )
        conditions.append(OPERATORS[item.operator].condition(field.kind)(comparison))
    return joined(" AND ", conditions)


def _column(field: FilterField, dialect: Dialect) -> Selection:
    if field.key.startswith(METADATA_PREFIX):
        return Selection(dialect.metadata, (field.key.removeprefix(METADATA_PREFIX),))
    if field.key in HAS_FIELDS:
        return Selection(f"(coalesce(contacts.{HAS_FIELDS[field.key]}, '') <> '')")
    if field.key == "recycled":
        # A lifecycle flag, not a property: a contact nobody marked is not recycled.
        return Selection("coalesce(contacts.recycled, FALSE)")
    return Selection(f"contacts.{field.key}")
