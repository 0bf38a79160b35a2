"""Words and zones as PostgreSQL takes them.

The same words as in `words.py`, spelled out.

PostgreSQL's regular expressions know no Unicode classes and their case folding follows the collation. Its patterns
therefore name every case of a letter, and every character that belongs to words, from Python's own tables.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from functools import cache
from itertools import pairwise

from bulk_export.filters.words import gap_is_optional, is_word_char, needs_boundary

_CASED_END = 0x1E944  # no character above has an upper or a lower case
_WORDS_END = 0x323B0  # and none from here on is a letter, a digit or a mark, but these
_LATE_MARKS = range(0xE0100, 0xE01F0)
_SURROGATES = range(0xD800, 0xE000)


def postgres_pattern(terms: Sequence[tuple[str, ...]]) -> str:
    """The PostgreSQL pattern that finds what `words.body_pattern` finds.

    It is case-sensitive, for NFC-normalised bodies.
    """
    # Terms with the same edges share their boundaries: the class of all that is no word has 800 ranges.
    alike: dict[tuple[bool, bool], list[str]] = defaultdict(list)
    for term in terms:
        alike[needs_boundary(term[0][0]), needs_boundary(term[-1][-1])].append(_phrase(term))
    other = f"[^{_word_class()}]"
    return "|".join(
        (f"(?:^|{other})" if starts else "") + f"(?:{'|'.join(phrases)})" + (f"(?:$|{other})" if ends else "")
        for (starts, ends), phrases in alike.items()
    )


def zone_object(zones: Sequence[str], values: Sequence[date]) -> tuple[object, ...]:
    """The value for each zone, as text of one JSON object."""
    return (json.dumps({zone: value.isoformat() for zone, value in zip(zones, values, strict=True)}),)


def _phrase(term: tuple[str, ...]) -> str:
    parts = [_spelled(term[0])]
    for left, right in pairwise(term):
        parts += [f"[^{_word_class()}]" + ("*" if gap_is_optional(left, right) else "+"), _spelled(right)]
    return "".join(parts)


def _spelled(word: str) -> str:
    """A folded word, each letter in every case; see `words.spelled`."""
    double_s = f"(?:{_cases('s')}{_cases('s')}|ß|ẞ)"
    return double_s.join("".join(map(_cases, part)) for part in word.split("ss"))


def _cases(char: str) -> str:
    found = _case_variants().get(_simple_fold(char), char)
    if char == "i":
        found += "İ"
    return f"[{found}]" if len(found) > 1 else found


@cache
def _case_variants() -> dict[str, str]:
    """By what they fold to, the characters that differ only in case."""
    found: dict[str, str] = defaultdict(str)
    for code in range(1, _CASED_END):
        if code not in _SURROGATES:
            found[_simple_fold(chr(code))] += chr(code)
    return {folded: chars for folded, chars in found.items() if len(chars) > 1}


def _simple_fold(char: str) -> str:
    """Unicode's simple case folding: one character for one."""
    return next((folded for folded in (char.casefold(), char.lower()) if len(folded) == 1), char)


@cache
def _word_class() -> str:
    """Every letter, digit and mark as ranges for a bracket expression, where none of them has a meaning of its own."""
    ranges: list[list[int]] = []
    for code in (*range(1, _WORDS_END), *_LATE_MARKS):
        if code not in _SURROGATES and is_word_char(chr(code)):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(chr(first) if first == last else f"{chr(first)}-{chr(last)}" for first, last in ranges)
