"""Conditions on the words of a contact's transcript or body."""

from __future__ import annotations

from collections.abc import Sequence

from bulk_export.filters.comparison import Comparison
from bulk_export.filters.selection import Selection, filled, joined
from bulk_export.filters.words import words_of


def has_all(comparison: Comparison) -> Selection:
    """Every one of the terms."""
    return joined(" AND ", [_found(comparison, [term]) for term in _terms(comparison)])


def has_any(comparison: Comparison) -> Selection:
    """One of the terms at least."""
    return _found(comparison, _terms(comparison))


def _terms(comparison: Comparison) -> list[tuple[str, ...]]:
    return [words_of(str(term)) for term in comparison.operands]


def _found(comparison: Comparison, terms: Sequence[tuple[str, ...]]) -> Selection:
    dialect = comparison.dialect
    return filled(dialect.matches, comparison.column, *dialect.patterns(terms))
