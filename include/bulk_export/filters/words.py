"""What counts as the same text, and as a word.

One definition for fields, bodies and previews.

Same text: two texts are the same when their folded forms are. Folding is Unicode NFC, then the one-to-one lower case
of every character, then `ß` as `ss` and the final sigma as sigma. Accents stay: `senor` is not `señor`.

Word: a maximal run of letters, digits and the marks that belong to them, so `cat` is not in `concatenate`. Scripts
that are written without spaces (Han, Kana, Thai, Lao, Khmer, Burmese) have no such runs: at an edge made of one of
their characters no boundary is asked for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from itertools import pairwise

_UNSPACED = re.compile(
    r"[\u0E00-\u0EFF\u1000-\u109F\u1780-\u17FF\u3005-\u3007\u3040-\u30FF\u31F0-\u31FF\u3400-\u4DBF\u4E00-\u9FFF"
    r"\uF900-\uFAFF\uFF66-\uFF9F\U0001AFF0-\U0001B16F\U00020000-\U0003FFFF]"
)
# RE2 classes; Python's re has none, so previews check the same thing character by character.
_OTHER = r"[^\pL\pN\pM]"
_START = rf"(?:^|{_OTHER})"
_END = rf"(?:$|{_OTHER})"
# What a folded word need not have in common with the stored text. Normalising never makes an ASCII letter or digit of
# something else than itself (or the Kelvin sign, a K in another case), and puts none beside another that was not there.
_UNCERTAIN = re.compile("[^a-z0-9]|i|ss+")
# Single characters of a folded word that stand for more than RE2's case folding knows.
_SPELLINGS = {"i": "[iİ]"}


def fold(text: str) -> str:
    """The form in which texts are compared.

    The dialect's `fold` expression computes the same in the database.
    """
    composed = unicodedata.normalize("NFC", text)
    # Python alone turns the Turkish dotted capital into two characters; databases give one.
    return composed.replace("İ", "i").lower().replace("ß", "ss").replace("ς", "σ")


def is_word_char(char: str) -> bool:
    """Whether a character is a letter, a digit or a mark."""
    return unicodedata.category(char)[0] in "LNM"


def words_of(term: str) -> tuple[str, ...]:
    """The words of a search term, folded, in order."""
    separated = "".join(char if is_word_char(char) else " " for char in fold(term))
    return tuple(separated.split())


def body_pattern(terms: Sequence[tuple[str, ...]]) -> str:
    """An RE2 pattern that finds any of the terms.

    In an NFC-normalised body, whatever its case.

    Args:
        terms: each one word or the consecutive words of a phrase, as `words_of` gives them.
    """
    # Terms with the same boundaries share them: what is no word is a class of thousands of ranges, and fifty pairs of
    # it take seconds to compile.
    bounded: dict[tuple[str, str], list[str]] = {}
    for term in terms:
        start = _START if needs_boundary(term[0][0]) else ""
        end = _END if needs_boundary(term[-1][-1]) else ""
        bounded.setdefault((start, end), []).append(_consecutive(term))
    return "|".join(f"{start}(?i:{'|'.join(group)}){end}" for (start, end), group in bounded.items())


def stored_pattern(terms: Sequence[tuple[str, ...]]) -> str:
    """An RE2 pattern found in every body with a term.

    In whatever normal form the body is stored.

    Bodies without a term may match too; where nothing is certain, every body does. It is one plain text a term, for
    which RE2 looks several times faster than for a word between its boundaries.
    """
    parts = [max((part for word in term for part in _UNCERTAIN.split(word)), key=len) for term in terms]
    return "(?i)" + "|".join(parts) if all(parts) else ""


def spelled(word: str) -> str:
    """A pattern of every spelling that folds to a word.

    To be used with case folding.
    """
    escaped = "".join(_SPELLINGS.get(char, re.escape(char)) for char in word)
    return escaped.replace("ss", "(?:ss|ß|ẞ)")


def gap_is_optional(left: str, right: str) -> bool:
    """Whether two consecutive words may touch, as in scripts without spaces."""
    return bool(_UNSPACED.match(left[-1]) and _UNSPACED.match(right[0]))


def needs_boundary(edge: str) -> bool:
    """Whether a term with this edge must end where words end."""
    return not _UNSPACED.match(edge)


def _consecutive(term: tuple[str, ...]) -> str:
    parts = [spelled(term[0])]
    for left, right in pairwise(term):
        parts += [_OTHER + ("*" if gap_is_optional(left, right) else "+"), spelled(right)]
    return "".join(parts)
