"""Matched contacts divide without remainder, whatever limit and quota say."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.quota import Share, share_out


@pytest.mark.parametrize(
    ("matched", "already", "limit", "granted", "share"),
    [
        (2500, 0, None, 2500, Share(0, 2500, 0, 0)),
        (2500, 0, None, 1000, Share(0, 1000, 1500, 0)),
        (2500, 500, None, 1000, Share(500, 1000, 1000, 0)),
        (2500, 0, 300, 1000, Share(0, 300, 0, 2200)),
        (2500, 0, 300, 100, Share(0, 100, 200, 2200)),
        (0, 0, 10, 0, Share(0, 0, 0, 0)),
    ],
)
def test_delivered_before_goes_first_then_the_limit_cuts_then_the_quota(
    matched: int, already: int, limit: int | None, granted: int, share: Share
) -> None:
    assert share_out(matched=matched, already_delivered=already, limit=limit, granted=granted) == share


@settings(derandomize=True)
@given(st.integers(0, 10**6), st.floats(0, 1), st.none() | st.integers(1, 10**6), st.integers(0, 10**6))
def test_the_parts_always_add_up_and_none_is_negative(
    matched: int, part: float, limit: int | None, granted: int
) -> None:
    share = share_out(matched=matched, already_delivered=int(matched * part), limit=limit, granted=granted)

    assert share.matched == matched
    assert min(share.already_delivered, share.granted, share.over_quota, share.over_limit) >= 0
    assert share.granted <= granted
