"""Make outsiders' text fit for a cell.

Unreadable characters are replaced, maximum lengths kept.

Lengths are in characters (Unicode code points), as the vendor's table counts them. A cut never splits a code point,
and goes back to the last whole visible character where it would part a letter from its accents or take an emoji
apart, so a cut text may be a few code points shorter than its maximum.
"""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.csv_cells.byte_set import ByteSet

EXCEL_CHARS = 32_767
REPLACEMENT = "\ufffd"
# NUL ends the cell, the line or the file for many readers; the others XML and most terminals refuse as well.
_UNREADABLE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_ZERO_WIDTH_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_TAGS = range(0xE0020, 0xE0080)


_CONTROLS = ByteSet.of(*(set(range(32)) - {9, 10, 13}), 127)
_NUL = ByteSet.of(0)


def readable(text: pa.Array) -> tuple[pa.Array, int]:
    """Replace unreadable control characters by U+FFFD; count cells that had any.

    Tabs and line ends stay.
    """
    if not _CONTROLS.occurs_in(text):
        return text, 0
    found = pc.sum(pc.match_substring_regex(text, _UNREADABLE)).as_py() or 0
    return pc.replace_substring_regex(text, _UNREADABLE, REPLACEMENT), found


def without_nul(text: pa.Array) -> tuple[pa.Array, int]:
    """Replace NUL alone by U+FFFD; count cells that had one.

    For cells that are otherwise raw.
    """
    if not _NUL.occurs_in(text):
        return text, 0
    found = pc.sum(pc.match_substring_regex(text, r"\x00")).as_py() or 0
    return pc.replace_substring_regex(text, r"\x00", REPLACEMENT), found


def beyond_excel(text: pa.Array) -> int:
    """Count cells that are longer than Excel takes."""
    if len(text) == 0 or (pc.max(pc.binary_length(text)).as_py() or 0) <= EXCEL_CHARS:
        return 0
    long = text.filter(pc.fill_null(pc.greater(pc.binary_length(text), EXCEL_CHARS), False))
    # Excel counts in UTF-16: an emoji is two.
    return sum(len(cell.encode("utf-16-le")) // 2 > EXCEL_CHARS for cell in long.to_pylist())


def cut(text: pa.Array, max_chars: int) -> tuple[pa.Array, int]:
    """Cut cells to `max_chars` characters; count those that were longer."""
    if len(text) == 0 or (pc.max(pc.binary_length(text)).as_py() or 0) <= max_chars:
        return text, 0
    long = pc.fill_null(pc.greater(pc.utf8_length(text), max_chars), False)
    found = pc.sum(long).as_py() or 0
    if not found:
        return text, 0
    whole = text.filter(long).to_pylist()
    return pc.replace_with_mask(text, long, pa.array([_cut(cell, max_chars) for cell in whole], pa.string())), found


def _cut(text: str, max_chars: int) -> str:
    end = max_chars
    while end > 0 and _belong_together(text, end):
        end -= 1
    # One visible character longer than the whole cell is no language's: take what fits.
    return text[: end or max_chars]


def _belong_together(text: str, position: int) -> bool:
    """Whether the characters left and right of `position` are parts of one visible character."""
    left, right = text[position - 1], text[position]
    if right == _ZERO_WIDTH_JOINER or left == _ZERO_WIDTH_JOINER:
        return True
    if ord(right) in _FLAG_LETTERS and ord(left) in _FLAG_LETTERS:
        first = position - 1
        while first > 0 and ord(text[first - 1]) in _FLAG_LETTERS:
            first -= 1
        return (position - first) % 2 == 1  # flags are pairs of letters
    if left == "\r" and right == "\n":
        return True
    return unicodedata.category(right) in {"Mn", "Me", "Mc"} or ord(right) in _SKIN_TONES or ord(right) in _TAGS
