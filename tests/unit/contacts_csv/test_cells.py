from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.contacts_csv.cells import cut, readable, without_nul

FAMILY = "👨\u200d👩\u200d👧"


@pytest.mark.parametrize(
    ("text", "max_chars", "kept"),
    [
        ("abcd", 4, "abcd"),
        ("abcde", 4, "abcd"),
        ("ñandú!", 5, "ñandú"),  # 7 bytes, 5 characters
        ("日本語です", 3, "日本語"),
        ("abce\u0301", 4, "abc"),  # e and its accent stay together
        ("abce\u0301f", 5, "abce\u0301"),
        ("ab👍🏽", 3, "ab"),  # thumb and skin tone
        ("a" + FAMILY, 4, "a"),
        ("a" + FAMILY + "b", 6, "a" + FAMILY),
        ("🇪🇸🇨🇴", 3, "🇪🇸"),  # flags are pairs
        ("🇪🇸🇨🇴", 2, "🇪🇸"),
        ("ab\r\ncd", 3, "ab"),
        ("कि", 1, "क"),  # one syllable longer than the whole cell: what fits
        ("e" + "\u0301" * 9, 4, "e\u0301\u0301\u0301"),
    ],
)
def test_a_cut_keeps_what_a_reader_sees_as_one_character_whole(text: str, max_chars: int, kept: str) -> None:
    expected = 0 if kept == text else 1
    assert cut(pa.array([text, None, ""]), max_chars) == (pa.array([kept, None, ""]), expected)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.none() | st.text(), min_size=1), st.integers(1, 12))
def test_a_cut_is_a_beginning_no_longer_than_the_maximum(texts: list[str | None], max_chars: int) -> None:
    shown, found = cut(pa.array(texts, pa.string()), max_chars)
    assert found == sum(text is not None and len(text) > max_chars for text in texts)
    for text, kept in zip(texts, shown.to_pylist(), strict=True):
        if text is None:
            assert kept is None
        else:
            assert text.startswith(kept)
            assert len(kept) <= max_chars
            assert (kept == text) == (len(text) <= max_chars)


def test_unreadable_characters_are_replaced_one_by_one_and_cells_counted() -> None:
    everything = "".join(map(chr, range(0x20))) + "\x7f"
    shown, found = readable(pa.array([everything, "fine\t\n\r", "\0\0", None]))
    kept = "\ufffd" * 9 + "\t\n" + "\ufffd" * 2 + "\r" + "\ufffd" * 18 + "\ufffd"
    assert (shown.to_pylist(), found) == ([kept, "fine\t\n\r", "\ufffd\ufffd", None], 2)


def test_raw_cells_lose_nothing_but_nul() -> None:
    shown, found = without_nul(pa.array(["a\0b\x07", "\x1b[31m", None]))
    assert (shown.to_pylist(), found) == (["a\ufffdb\x07", "\x1b[31m", None], 1)
