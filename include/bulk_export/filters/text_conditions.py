"""Conditions on text, enumerations and yes/no.

Texts are compared folded (`words.fold`); an empty one counts as empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bulk_export.filters.comparison import Comparison, Condition
from bulk_export.filters.dialect import Dialect
from bulk_export.filters.selection import Selection, filled
from bulk_export.filters.words import fold


def text(template: Callable[[Dialect], str]) -> Condition:
    """The condition that column and operand, folded, meet a template.

    Args:
        template: SQL of the dialect with `{0}` for the column and `?` for the operand.
    """

    def condition(comparison: Comparison) -> Selection:
        return filled(template(comparison.dialect), _folded(comparison), *_folded_operands(comparison))

    return condition


def text_is_any_of(comparison: Comparison) -> Selection:
    """One of several texts."""
    values = _folded_operands(comparison)
    return filled(f"{{0}} IN ({_marks(values)})", _folded(comparison), *values)


def value_is_any_of(comparison: Comparison) -> Selection:
    """One of several values of an enumeration, as stored."""
    return filled(f"{{0}} IN ({_marks(comparison.operands)})", comparison.column, *comparison.operands)


def is_empty(comparison: Comparison) -> Selection:
    """Null or an empty text."""
    return filled("coalesce({0}, '') = ''", comparison.column)


def is_not_empty(comparison: Comparison) -> Selection:
    """A text of one character at least."""
    return filled("coalesce({0}, '') <> ''", comparison.column)


def yes_no_is(comparison: Comparison) -> Selection:
    """True, or false; a null is neither."""
    return filled(f"{{0}} = {'TRUE' if comparison.operands[0] else 'FALSE'}", comparison.column)


def _folded(comparison: Comparison) -> Selection:
    return filled(comparison.dialect.fold, comparison.column)


def _folded_operands(comparison: Comparison) -> list[str]:
    return [fold(str(operand)) for operand in comparison.operands]


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)
