"""What the SQL of a dialect takes for granted."""

from __future__ import annotations

import sys
import unicodedata

from bulk_export.filters.dialect import COMPOSED

_HANGUL_VOWELS_AND_ENDS = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}


def test_bodies_that_are_not_normalised_need_not_be() -> None:
    """A text is in normal form C where no character is replaced, moved, or taken into the one before it."""
    taken = set(_HANGUL_VOWELS_AND_ENDS)
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            taken.add(int(parts[1], 16))
    left_alone = [code for first, last in COMPOSED for code in range(ord(first), ord(last) + 1)]
    assert len(left_alone) > 30_000
    assert [
        hex(code)
        for code in left_alone
        if code in taken or unicodedata.combining(chr(code)) or unicodedata.normalize("NFC", chr(code)) != chr(code)
    ] == []
