"""The nearest valid name to a word that is none."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

# How much of two words has to be alike, from 0 to 1: 'yaml' is near 'xml', 'phone' is not near 'CALL'.
_CUTOFF = 0.5
# Longer words are no slips of the pen, and comparing takes the square of their length.
_MAX_CHARS = 100


def nearest(word: object, valid: Iterable[str]) -> str | None:
    """The valid name most like a word, None when none is near."""
    by_lower = {name.lower(): name for name in valid}
    near = get_close_matches(str(word).strip().lower()[:_MAX_CHARS], by_lower, n=1, cutoff=_CUTOFF)
    return by_lower[near[0]] if near else None


def did_you_mean(word: object, valid: Iterable[str]) -> str:
    """The words `Did you mean 'x'?`, empty when nothing is near."""
    near = nearest(word, valid)
    return "" if near is None else f" Did you mean '{near}'?"
