"""Turn complete filters into one WHERE condition: SQL from the catalogue and the dialect, every value bound.

Nothing a person wrote enters the SQL text, field names included: identifiers are the catalogue's own keys, metadata
keys are bound. A null never makes a comparison true; `not_equals`, `not_contains`, `is_none_of` and `none_of` are the
exact opposites of theirs and so match it, as `is_empty` does. An empty text counts as empty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bulk_export.errors import DefinitionError
from bulk_export.fields import Kind
from bulk_export.filters.completeness import CONTACT_ZONE, problems, zone_names
from bulk_export.filters.dates import Days, days, instants, utc_naive
from bulk_export.filters.dialect import DIALECTS, Dialect
from bulk_export.filters.field_catalog import HAS_FIELDS, METADATA_PREFIX, FilterField
from bulk_export.filters.operands import Scalar, read_operands
from bulk_export.filters.words import fold, words_of

if TYPE_CHECKING:
    from bulk_export.definitions.models import Filter


@dataclass(frozen=True, slots=True)
class Selection:
    """A condition on the relation `contacts`.

    Attributes:
        sql: a boolean SQL expression with `?` for every operand.
        parameters: the operands, in the order of the `?`.
    """

    sql: str
    parameters: tuple[object, ...] = ()

    def negated(self) -> Selection:
        """The exact opposite: true where this is false or unknown."""
        return Selection(f"(({self.sql}) IS NOT TRUE)", self.parameters)


def among(contact_ids: Sequence[int], dialect: str = "duckdb") -> Selection:
    """The condition that a contact is one of these."""
    return Selection(DIALECTS[dialect].among, (list(contact_ids),))


def either(first: Selection, second: Selection) -> Selection:
    """The condition that one of two is met, or both."""
    return _joined(" OR ", [first, second])


def compile_filters(
    filters: Sequence[Filter],
    *,
    as_of: datetime,
    zone: str,
    catalogue: Mapping[str, FilterField],
    dialect: str = "duckdb",
    started_between: tuple[datetime, datetime] | None = None,
) -> Selection:
    """The condition that all filters meet.

    Args:
        filters: of a saved search.
        as_of: the run's logical date, aware; relative dates look back from it.
        zone: the environment's IANA zone, for filters that name none and for contacts whose zone is unknown.
        catalogue: fields that may be filtered on.
        dialect: a key of `dialect.DIALECTS`.
        started_between: `[from, to)`, aware; replaces the search's own filters on `started_at`.

    Raises:
        DefinitionError: FILTER_INCOMPLETE, naming every incomplete filter.
    """
    found = problems(filters, catalogue)
    if found:
        raise DefinitionError(
            "FILTER_INCOMPLETE",
            "; ".join(str(problem) for problem in found),
            hint="Complete or remove these filters in the saved search.",
        )
    compiler = _Compiler(DIALECTS[dialect], as_of, zone)
    conditions = []
    if started_between is not None:
        start, end = (utc_naive(bound) for bound in started_between)
        conditions.append(Selection("contacts.started_at >= ? AND contacts.started_at < ?", (start, end)))
        filters = [item for item in filters if item.field != "started_at"]
    for item in filters:
        assert item.field is not None and item.operator is not None  # complete
        field = catalogue[item.field]
        operands = read_operands(field, item.operator, item.value).values
        conditions.append(compiler.condition(field, item.operator, operands, item.time_zone or zone))
    return _joined(" AND ", conditions)


@dataclass(frozen=True, slots=True)
class _Compiler:
    dialect: Dialect
    as_of: datetime
    zone: str

    def condition(self, field: FilterField, operator: str, operands: tuple[Scalar, ...], zone: str) -> Selection:
        """The condition of one complete filter."""
        if field.key == "text":
            return self._words(operator, operands)
        column = self._column(field)
        match field.kind:
            case Kind.TEXT:
                return self._text(column, operator, operands)
            case Kind.ENUM:
                return self._enumeration(column, operator, operands)
            case Kind.YES_NO:
                return _filled(f"{{0}} = {'TRUE' if operands[0] else 'FALSE'}", column)
            case Kind.DATE | Kind.TIMESTAMP:
                return self._date(field, operator, operands, zone)
        return _number(column, field.kind, operator, operands)

    def _column(self, field: FilterField) -> Selection:
        if field.key.startswith(METADATA_PREFIX):
            return Selection(self.dialect.metadata, (field.key.removeprefix(METADATA_PREFIX),))
        if field.key in HAS_FIELDS:
            return Selection(f"(coalesce(contacts.{HAS_FIELDS[field.key]}, '') <> '')")
        if field.key == "recycled":
            # A lifecycle flag, not a property: a contact nobody marked is not recycled.
            return Selection("coalesce(contacts.recycled, FALSE)")
        return Selection(f"contacts.{field.key}")

    def _words(self, operator: str, operands: tuple[Scalar, ...]) -> Selection:
        terms = [words_of(str(term)) for term in operands]

        def matching(wanted: Sequence[tuple[str, ...]]) -> Selection:
            return _filled(self.dialect.matches, Selection("contacts.text"), *self.dialect.patterns(wanted))

        if operator in {"all_words", "phrase"}:
            return _joined(" AND ", [matching([term]) for term in terms])
        found = matching(terms)
        return found.negated() if operator == "none_of" else found

    def _text(self, column: Selection, operator: str, operands: tuple[Scalar, ...]) -> Selection:
        folded = _filled(self.dialect.fold, column)
        values = [fold(str(operand)) for operand in operands]
        match operator:
            case "equals":
                return _filled("{0} = ?", folded, *values)
            case "not_equals":
                return _filled("{0} = ?", folded, *values).negated()
            case "contains":
                return _filled(self.dialect.contains, folded, *values)
            case "not_contains":
                return _filled(self.dialect.contains, folded, *values).negated()
            case "starts_with":
                return _filled(self.dialect.starts_with, folded, *values)
            case "ends_with":
                return _filled(self.dialect.ends_with, folded, *values)
            case "is_empty":
                return _filled("coalesce({0}, '') = ''", column)
            case "is_not_empty":
                return _filled("coalesce({0}, '') <> ''", column)
        among = _filled(f"{{0}} IN ({_marks(values)})", folded, *values)
        return among.negated() if operator == "is_none_of" else among

    def _enumeration(self, column: Selection, operator: str, operands: tuple[Scalar, ...]) -> Selection:
        if operator == "is_empty":
            return _filled("coalesce({0}, '') = ''", column)
        among = _filled(f"{{0}} IN ({_marks(operands)})", column, *operands)
        return among.negated() if operator == "is_none_of" else among

    def _date(self, field: FilterField, operator: str, operands: tuple[Scalar, ...], zone: str) -> Selection:
        points = tuple(operand for operand in operands if isinstance(operand, date | int))

        def bounds_in(name: str) -> tuple[date | None, date | None]:
            if field.kind is Kind.DATE:
                found: Days = days(operator, points, as_of=self.as_of, zone=ZoneInfo(name))
                return found.start, found.end
            span = instants(operator, points, as_of=self.as_of, zone=ZoneInfo(name))
            return span.start and utc_naive(span.start), span.end and utc_naive(span.end)

        column = Selection(f"contacts.{field.key}")
        if zone != CONTACT_ZONE:
            return _joined(" AND ", list(_between(column, *bounds_in(zone))))
        return self._date_by_zone(
            column, field.kind, {name: bounds_in(name) for name in sorted(zone_names() | {self.zone})}
        )

    def _date_by_zone(
        self, column: Selection, kind: Kind, bounds: Mapping[str, tuple[date | None, date | None]]
    ) -> Selection:
        lookup = self.dialect.by_zone.format("DATE" if kind is Kind.DATE else "TIMESTAMP")
        conditions = []
        for side, comparison, widest in ((0, ">=", min), (1, "<", max)):
            found = {zone: pair[side] for zone, pair in bounds.items()}
            values = [value for value in found.values() if value is not None]
            if not values:
                continue
            # The widest bound alone first: it lets the store skip what no zone could match.
            conditions.append(_filled(f"{{0}} {comparison} ?", column, widest(values)))
            if len(set(values)) > 1:
                by_zone = f"{{0}} {comparison} coalesce({lookup}, ?)"
                operands = self.dialect.zone_operands(list(found), values)
                conditions.append(_filled(by_zone, column, *operands, found[self.zone]))
        return _joined(" AND ", conditions)


def _number(column: Selection, kind: Kind, operator: str, operands: tuple[Scalar, ...]) -> Selection:
    if operator == "is_empty":
        return _filled("{0} IS NULL", column)
    if operator == "is_not_empty":
        return _filled("{0} IS NOT NULL", column)
    values = [operand for operand in operands if isinstance(operand, int | float)]
    if kind in {Kind.RATIO, Kind.DECIMAL}:
        values = [float(value) for value in values]
        low = high = values
    else:
        # Whole numbers are compared as whole numbers: exact above 2^53, and the store can skip row groups.
        low, high = [math.ceil(value) for value in values], [math.floor(value) for value in values]
    match operator:
        case "equals" | "not_equals":
            equal = _filled("{0} = ?", column, low[0]) if low[0] == high[0] else Selection("FALSE")
            return equal.negated() if operator == "not_equals" else equal
        case "less_than":
            return _filled("{0} < ?", column, low[0])
        case "at_most":
            return _filled("{0} <= ?", column, high[0])
        case "greater_than":
            return _filled("{0} > ?", column, high[0])
        case "at_least":
            return _filled("{0} >= ?", column, low[0])
    return _filled("{0} BETWEEN ? AND ?", column, low[0], high[1])


def _between(column: Selection, start: date | None, end: date | None) -> Sequence[Selection]:
    found = []
    if start is not None:
        found.append(_filled("{0} >= ?", column, start))
    if end is not None:
        found.append(_filled("{0} < ?", column, end))
    return found


def _filled(template: str, column: Selection, *values: object) -> Selection:
    """A template with its column; the column's own operands stand before the template's, as often as the column."""
    return Selection(template.format(column.sql), (*(column.parameters * template.count("{0}")), *values))


def _joined(word: str, conditions: Sequence[Selection]) -> Selection:
    if not conditions:
        return Selection("TRUE")
    sql = word.join(f"({condition.sql})" for condition in conditions)
    return Selection(sql, tuple(parameter for condition in conditions for parameter in condition.parameters))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)
