"""Conditions on contacts in SQL, and how they are joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bulk_export.filters.dialect import DIALECTS


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
    return joined(" OR ", [first, second])


def joined(word: str, conditions: Sequence[Selection]) -> Selection:
    """All conditions with ` AND ` or ` OR ` between them.

    Of none, the condition that always holds.
    """
    if not conditions:
        return Selection("TRUE")
    sql = word.join(f"({condition.sql})" for condition in conditions)
    return Selection(sql, tuple(parameter for condition in conditions for parameter in condition.parameters))


def filled(template: str, column: Selection, *values: object) -> Selection:
    """A template whose `{0}` is a column and whose `?` are values.

    The column's own operands come before the template's, as often as the column.
    """
    return Selection(template.format(column.sql), (*(column.parameters * template.count("{0}")), *values))
