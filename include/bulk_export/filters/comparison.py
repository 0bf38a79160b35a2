"""One complete filter, as its operator gets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from bulk_export.fields import Kind
from bulk_export.filters.dialect import Dialect
from bulk_export.filters.selection import Selection

Scalar: TypeAlias = str | int | float | bool | date | datetime


@dataclass(frozen=True, slots=True)
class Comparison:
    """One complete filter, about to become SQL.

    Attributes:
        column: the field's value in SQL.
        kind: type of that value.
        operands: what it is compared with, typed: none, one, two or many.
        dialect: the SQL of the database.
        as_of: the run's logical date, aware; relative dates look back from it.
        zone: of the filter's days and times: an IANA name, or `time_zones.CONTACT_ZONE`.
        environment_zone: the IANA zone of contacts whose own is unknown.
    """

    column: Selection
    kind: Kind
    operands: tuple[Scalar, ...]
    dialect: Dialect
    as_of: datetime
    zone: str
    environment_zone: str


Condition: TypeAlias = Callable[[Comparison], Selection]


def opposite(condition: Condition) -> Condition:
    """The condition that holds where another does not.

    So it also holds for a null.
    """
    return lambda comparison: condition(comparison).negated()
