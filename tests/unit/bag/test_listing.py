"""Two listings merged: what is missing and what is stray, with one key of each in memory."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk_export.bag.listing import Difference, differences

MISSING, STRAY = Difference.MISSING, Difference.STRAY
LISTINGS = st.dictionaries(st.text(max_size=3), st.integers(0, 2))


@pytest.mark.parametrize(
    ("named", "stored", "expected"),
    [
        ([], [], []),
        ([("a", 1)], [("a", 1)], []),
        ([("a", 1)], [("a", 2)], [(MISSING, "a")]),
        ([("a", 1)], [], [(MISSING, "a")]),
        ([], [("a", 1)], [(STRAY, "a")]),
        ([("a", 1), ("c", 1)], [("b", 1), ("d", 1)], [(MISSING, "a"), (STRAY, "b"), (MISSING, "c"), (STRAY, "d")]),
    ],
)
def test_each_line_of_the_table(
    named: list[tuple[str, int]], stored: list[tuple[str, int]], expected: list[tuple[Difference, str]]
) -> None:
    assert list(differences(named, stored)) == expected


@given(LISTINGS, LISTINGS)
def test_merging_finds_what_two_dictionaries_find(named: dict[str, int], stored: dict[str, int]) -> None:
    missing = {(MISSING, key) for key, size in named.items() if stored.get(key) != size}
    strays = {(STRAY, key) for key in stored if key not in named}
    found = list(differences(sorted(named.items()), sorted(stored.items())))
    assert set(found) == missing | strays
    assert [key for _, key in found] == sorted(key for _, key in found)


@pytest.mark.parametrize("listed", [[("b", 1), ("a", 1)], [("a", 1), ("a", 1)]])
def test_a_listing_out_of_order_is_refused(listed: list[tuple[str, int]]) -> None:
    with pytest.raises(ValueError, match="a is listed after"):
        list(differences(listed, []))
    with pytest.raises(ValueError, match="a is listed after"):
        list(differences([], listed))


def test_memory_does_not_grow_with_the_listings() -> None:
    def keys() -> object:
        return ((f"data/media/0001/{number:09d}.mp3", 7) for number in range(100_000))

    tracemalloc.start()
    try:
        assert list(differences(keys(), keys())) == []  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100_000
