"""Conditions on numbers, durations and ratios.

Whole numbers are compared as whole numbers: exact above 2^53, and the store can skip row groups. An operand between two
of them is rounded to the side on which the comparison stays true of the same contacts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from bulk_export.fields import Kind
from bulk_export.filters.comparison import Comparison
from bulk_export.filters.selection import Selection, filled

_FRACTIONS = frozenset({Kind.RATIO, Kind.DECIMAL})


def equals(comparison: Comparison) -> Selection:
    """The same number; no whole number is the same as a fraction."""
    low, high = _rounded_up(comparison)[0], _rounded_down(comparison)[0]
    return filled("{0} = ?", comparison.column, low) if low == high else Selection("FALSE")


def less_than(comparison: Comparison) -> Selection:
    """Below the operand."""
    return filled("{0} < ?", comparison.column, _rounded_up(comparison)[0])


def at_most(comparison: Comparison) -> Selection:
    """Below the operand, or the same."""
    return filled("{0} <= ?", comparison.column, _rounded_down(comparison)[0])


def greater_than(comparison: Comparison) -> Selection:
    """Above the operand."""
    return filled("{0} > ?", comparison.column, _rounded_down(comparison)[0])


def at_least(comparison: Comparison) -> Selection:
    """Above the operand, or the same."""
    return filled("{0} >= ?", comparison.column, _rounded_up(comparison)[0])


def between(comparison: Comparison) -> Selection:
    """From the first operand to the second, both included."""
    low, high = _rounded_up(comparison)[0], _rounded_down(comparison)[1]
    return filled("{0} BETWEEN ? AND ?", comparison.column, low, high)


def is_empty(comparison: Comparison) -> Selection:
    """Null."""
    return filled("{0} IS NULL", comparison.column)


def is_not_empty(comparison: Comparison) -> Selection:
    """Any number."""
    return filled("{0} IS NOT NULL", comparison.column)


def _rounded_up(comparison: Comparison) -> Sequence[float]:
    return [float(value) if comparison.kind in _FRACTIONS else math.ceil(value) for value in _numbers(comparison)]


def _rounded_down(comparison: Comparison) -> Sequence[float]:
    return [float(value) if comparison.kind in _FRACTIONS else math.floor(value) for value in _numbers(comparison)]


def _numbers(comparison: Comparison) -> list[int | float]:
    return [operand for operand in comparison.operands if isinstance(operand, int | float)]
