"""Decide how many contacts a run may export, and when a quota day starts. Pure: figures come in, a verdict goes out.

Who holds how much of which day is kept by `state/reservations.py`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

QuotaPolicy = Literal["continue", "truncate", "fail"]


def decide(*, wanted: int, used: int, daily_limit: int, policy: QuotaPolicy) -> int | None:
    """How many contacts to grant; None refuses the run.

    | wanted fits what is left | policy             | answer                          |
    |---|---|---|
    | yes                      | any                | wanted                          |
    | no                       | continue, truncate | what is left, never less than 0 |
    | no                       | fail               | None                            |

    Args:
        wanted: contacts the run would export.
        used: contacts of the day that other runs hold or were charged; above the limit when that was lowered.
        daily_limit: contacts per day.
        policy: the export's `on_quota_exceeded`.
    """
    left = max(0, daily_limit - used)
    if wanted <= left:
        return wanted
    return None if policy == "fail" else left


def quota_day(now: datetime, zone: str) -> date:
    """The calendar day in the environment's zone."""
    return now.astimezone(ZoneInfo(zone)).date()


def next_quota_day_starts(day: date, zone: str) -> datetime:
    """The first instant of the quota day after `day`, in UTC.

    Usually midnight. Where a clock change skips midnight it is the first time that exists (Cairo, Beirut and Havana
    start that day at 01:00); where one repeats it, the first of the two.
    """
    # A time that does not exist is read with the offset before the change, and a repeated one as the first (fold 0).
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=ZoneInfo(zone)).astimezone(UTC)
