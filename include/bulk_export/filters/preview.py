"""Text of the CSV's Text Preview column.

About 160 characters of a contact's body around the first word a `text` filter found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from bulk_export.fields import Kind
from bulk_export.filters.field_catalog import FilterField
from bulk_export.filters.operands import read_operands
from bulk_export.filters.operators import OPERATORS
from bulk_export.filters.words import fold, gap_is_optional, is_word_char, needs_boundary, spelled, words_of

if TYPE_CHECKING:
    from bulk_export.definitions.models import Filter

WIDTH = 160
_BEFORE = 60
_ELLIPSIS = "…"
_FIELD = FilterField("text", Kind.WORDS)


def text_preview(body: str | None, filters: Sequence[Filter]) -> str | None:
    """The words around the first hit, on one line.

    None without a `text` filter, a body or a hit.

    Args:
        body: the contact's searchable text.
        filters: the complete filters of the search; those not on `text`, and `none_of`, give no hits.
    """
    if not body:
        return None
    terms = tuple(term for item in filters if item.field == "text" for term in _terms(item))
    if not terms:
        return None
    line = " ".join(unicodedata.normalize("NFC", body).split())
    # Looking for a plain text is a thousand times faster than for one pattern of hundreds of words.
    folded = fold(line).casefold()
    present = tuple(term for term, words in _casefolded(terms) if all(word in folded for word in words))
    hit = _first_hit(line, present) if present else None
    return None if hit is None else _cut(line, *hit)


def _terms(item: Filter) -> list[str]:
    operator = OPERATORS.get(item.operator or "")
    # What also matches a contact without text looks for the absence of words.
    if operator is None or operator.matches_null:
        return []
    return [str(term) for term in read_operands(_FIELD, operator.name, item.value).values]


def _first_hit(line: str, terms: tuple[str, ...]) -> tuple[int, int] | None:
    pattern, words = _pattern(terms)
    position = 0
    while match := pattern.search(line, position):
        # The pattern cannot see marks, so the edges are checked here.
        start, end = match.span()
        term = words[match.lastgroup or ""]
        starts = not needs_boundary(term[0][0]) or start == 0 or not is_word_char(line[start - 1])
        ends = not needs_boundary(term[-1][-1]) or end == len(line) or not is_word_char(line[end])
        if starts and ends:
            return start, end
        position = start + 1
    return None


@lru_cache(maxsize=64)
def _casefolded(terms: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple((term, tuple(word.casefold() for word in words_of(term))) for term in terms)


@lru_cache(maxsize=1_024)
def _pattern(terms: tuple[str, ...]) -> tuple[re.Pattern[str], dict[str, tuple[str, ...]]]:
    words = {f"term{number}": words_of(term) for number, term in enumerate(terms)}
    return re.compile("|".join(f"(?P<{name}>{_phrase(term)})" for name, term in words.items()), re.IGNORECASE), words


def _phrase(term: tuple[str, ...]) -> str:
    parts = [spelled(term[0])]
    for left, right in pairwise(term):
        parts += [r"[\W_]" + ("*?" if gap_is_optional(left, right) else "+?"), spelled(right)]
    return "".join(parts)


def _cut(line: str, start: int, end: int) -> str:
    if len(line) <= WIDTH:
        return line
    first = max(0, min(start - _BEFORE, len(line) - WIDTH))
    last = min(len(line), max(first + WIDTH, min(end, first + 2 * WIDTH)))
    if first and (space := line.find(" ", first, start)) >= 0:
        first = space + 1
    if last < len(line) and (space := line.rfind(" ", end, last)) >= 0:
        last = space
    return (_ELLIPSIS if first else "") + line[first:last] + (_ELLIPSIS if last < len(line) else "")
