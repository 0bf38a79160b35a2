from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.quota import QuotaPolicy, decide, next_quota_day_starts, quota_day

POLICIES: tuple[QuotaPolicy, ...] = ("continue", "truncate", "fail")

# Zones of every kind: none, half hours, changes at midnight (Cairo, Havana, Asuncion, Beirut, Santiago), before it
# (Nuuk), by half an hour (Lord Howe), and a day that never was (Apia, 30 December 2011).
ZONES = (
    "UTC",
    "America/Bogota",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "America/Havana",
    "America/Asuncion",
    "America/Santiago",
    "Asia/Beirut",
    "America/Nuuk",
    "Australia/Lord_Howe",
    "Europe/Madrid",
    "Pacific/Apia",
    "Pacific/Kiritimati",
)


@pytest.mark.parametrize(
    ("wanted", "used", "policy", "granted"),
    [
        (40, 60, "continue", 40),
        (40, 60, "truncate", 40),
        (40, 60, "fail", 40),
        (41, 60, "continue", 40),
        (41, 60, "truncate", 40),
        (41, 60, "fail", None),
        (1, 130, "continue", 0),
        (1, 130, "fail", None),
        (0, 130, "fail", 0),
    ],
)
def test_each_line_of_the_decision_table(wanted: int, used: int, policy: QuotaPolicy, granted: int | None) -> None:
    assert decide(wanted=wanted, used=used, daily_limit=100, policy=policy) == granted


@settings(deadline=None, derandomize=True)
@given(st.integers(0), st.integers(0), st.integers(0), st.sampled_from(POLICIES))
def test_no_grant_is_negative_or_passes_what_is_wanted_or_left(
    wanted: int, used: int, limit: int, policy: QuotaPolicy
) -> None:
    granted = decide(wanted=wanted, used=used, daily_limit=limit, policy=policy)
    if granted is None:
        assert policy == "fail"
        assert wanted > limit - used
    else:
        assert 0 <= granted <= wanted
        assert granted == 0 or used + granted <= limit


def test_the_quota_day_is_the_environments() -> None:
    evening = datetime(2026, 11, 24, 4, 59, 59, tzinfo=UTC)
    assert quota_day(evening, "America/Bogota") == date(2026, 11, 23)
    assert quota_day(evening + timedelta(seconds=1), "America/Bogota") == date(2026, 11, 24)
    assert quota_day(evening, "UTC") == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("now", "zone", "starts"),
    [
        ("2026-11-23T12:00Z", "UTC", "2026-11-24T00:00Z"),
        ("2026-11-24T04:59Z", "America/Bogota", "2026-11-24T05:00Z"),
        ("2026-11-24T05:00Z", "America/Bogota", "2026-11-25T05:00Z"),
        # Cairo skips from 24 April 2026 00:00 to 01:00 local: the day starts with its second hour.
        ("2026-04-23T12:00Z", "Africa/Cairo", "2026-04-23T22:00Z"),
        # Madrid's day of 25 hours.
        ("2026-10-25T12:00Z", "Europe/Madrid", "2026-10-25T23:00Z"),
        # Havana repeats 00:00 to 01:00 on 1 November 2026: the first of the two.
        ("2026-10-31T12:00Z", "America/Havana", "2026-11-01T04:00Z"),
        # Apia went from 29 to 31 December 2011.
        ("2011-12-30T05:00Z", "Pacific/Apia", "2011-12-30T10:00Z"),
    ],
)
def test_the_next_quota_day_starts_at_its_first_instant(now: str, zone: str, starts: str) -> None:
    assert next_quota_day_starts(quota_day(datetime.fromisoformat(now), zone), zone) == datetime.fromisoformat(starts)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(st.datetimes(datetime(2005, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)), st.sampled_from(ZONES))
def test_the_instant_before_the_next_quota_day_is_of_an_earlier_day(now: datetime, zone: str) -> None:
    starts = next_quota_day_starts(quota_day(now, zone), zone)
    tz = ZoneInfo(zone)
    assert starts > now
    assert starts.tzinfo is UTC
    assert starts.astimezone(tz).date() > quota_day(now, zone)
    assert (starts - timedelta(microseconds=1)).astimezone(tz).date() <= quota_day(now, zone)
