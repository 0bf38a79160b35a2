"""Text that outsiders wrote, made fit for a cell: unreadable characters replaced, maximum lengths kept.

Lengths are in characters (Unicode code points), as the vendor's table counts them. A cut never splits a code point,
and goes back to the last whole visible character where it would part a letter from its accents or take an emoji
apart, so a cut text may be a few code points shorter than its maximum.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

REPLACEMENT = "\ufffd"
# NUL ends the cell, the line or the file for many readers; the others XML and most terminals refuse as well.
_UNREADABLE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_ZERO_WIDTH_JOINER = "\u200d"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_TAGS = range(0xE0020, 0xE0080)


@dataclass(frozen=True, slots=True)
class ByteSet:
    """Bytes to look for in a whole string column at once, which is far faster than a pattern per cell."""

    members: np.ndarray[tuple[int], np.dtype[np.bool_]]

    @classmethod
    def of(cls, *members: int) -> ByteSet:
        """A set of byte values."""
        table = np.zeros(256, dtype=bool)
        table[list(members)] = True
        return cls(table)

    def occurs_in(self, text: pa.Array) -> bool:
        """Whether any cell has any of the bytes."""
        return bool(self.members[content(text)[1]].any())

    def starts_a_cell_of(self, text: pa.Array) -> bool:
        """Whether any cell begins with one of the bytes."""
        offsets, data = content(text)
        starts = offsets[:-1][offsets[1:] > offsets[:-1]] - offsets[0]
        return bool(self.members[data[starts]].any())


def content(
    text: pa.Array,
) -> tuple[np.ndarray[tuple[int], np.dtype[np.int32]], np.ndarray[tuple[int], np.dtype[np.uint8]]]:
    """Offsets and UTF-8 bytes of a string array, without copying: cell i is `offsets[i]:offsets[i + 1]`.

    The offsets count from the start of the array's buffer; the bytes begin at `offsets[0]`.
    """
    _, offset_buffer, data_buffer = text.buffers()
    if len(text) == 0 or offset_buffer is None:
        return np.zeros(1, np.int32), np.zeros(0, np.uint8)
    offsets = np.frombuffer(offset_buffer, np.int32)[text.offset : text.offset + len(text) + 1]
    data = np.zeros(0, np.uint8) if data_buffer is None else np.frombuffer(data_buffer, np.uint8)
    return offsets, data[offsets[0] : offsets[-1]]


_CONTROLS = ByteSet.of(*(set(range(32)) - {9, 10, 13}), 127)


def readable(text: pa.Array) -> tuple[pa.Array, int]:
    """Replace control characters other than tab and line ends by U+FFFD; also how many cells had any."""
    if not _CONTROLS.occurs_in(text):
        return text, 0
    found = pc.sum(pc.match_substring_regex(text, _UNREADABLE)).as_py() or 0
    return pc.replace_substring_regex(text, _UNREADABLE, REPLACEMENT), found


def without_nul(text: pa.Array) -> tuple[pa.Array, int]:
    """Replace NUL alone by U+FFFD, for cells that are otherwise raw; also how many cells had one."""
    if not _NUL.occurs_in(text):
        return text, 0
    found = pc.sum(pc.match_substring_regex(text, r"\x00")).as_py() or 0
    return pc.replace_substring_regex(text, r"\x00", REPLACEMENT), found


_NUL = ByteSet.of(0)


def cut(text: pa.Array, max_chars: int) -> tuple[pa.Array, int]:
    """Cells of at most `max_chars` characters, and how many had to be cut."""
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
