"""Conditions on days and times.

A date operator's span, in one zone or in each contact's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias
from zoneinfo import ZoneInfo

from bulk_export.fields import Kind
from bulk_export.filters.comparison import Comparison
from bulk_export.filters.date_spans import DateSpan, Reading
from bulk_export.filters.dates import utc_naive
from bulk_export.filters.selection import Selection, filled, joined
from bulk_export.time_zones import CONTACT_ZONE, zone_names

_Bounds: TypeAlias = tuple[date | None, date | None]


@dataclass(frozen=True, slots=True)
class InSpan:
    """The condition to be in the span of a date operator."""

    span: DateSpan

    def __call__(self, comparison: Comparison) -> Selection:
        """From the span's start to before its end."""
        if comparison.zone != CONTACT_ZONE:
            return _between(comparison.column, *self._bounds(comparison, comparison.zone))
        names = sorted(zone_names() | {comparison.environment_zone})
        return _between_by_zone(comparison, {name: self._bounds(comparison, name) for name in names})

    def _bounds(self, comparison: Comparison, zone: str) -> _Bounds:
        """Days, or times as databases compare them."""
        points = tuple(operand for operand in comparison.operands if isinstance(operand, date | int))
        reading = Reading(points, comparison.as_of, ZoneInfo(zone))
        if comparison.kind is Kind.DATE:
            days = self.span.days(reading)
            return days.start, days.end
        found = self.span.instants(reading)
        return found.start and utc_naive(found.start), found.end and utc_naive(found.end)


def _between(column: Selection, start: date | None, end: date | None) -> Selection:
    conditions = []
    if start is not None:
        conditions.append(filled("{0} >= ?", column, start))
    if end is not None:
        conditions.append(filled("{0} < ?", column, end))
    return joined(" AND ", conditions)


def _between_by_zone(comparison: Comparison, bounds: Mapping[str, _Bounds]) -> Selection:
    lookup = comparison.dialect.by_zone.format("DATE" if comparison.kind is Kind.DATE else "TIMESTAMP")
    conditions = []
    for side, operator, widest in ((0, ">=", min), (1, "<", max)):
        found = {zone: pair[side] for zone, pair in bounds.items()}
        values = [value for value in found.values() if value is not None]
        if not values:
            continue
        # The widest bound alone first: it lets the store skip what no zone could match.
        conditions.append(filled(f"{{0}} {operator} ?", comparison.column, widest(values)))
        if len(set(values)) > 1:
            by_zone = f"{{0}} {operator} coalesce({lookup}, ?)"
            operands = comparison.dialect.zone_operands(list(found), values)
            conditions.append(filled(by_zone, comparison.column, *operands, found[comparison.environment_zone]))
    return joined(" AND ", conditions)
