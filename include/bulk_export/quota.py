"""Decide how many contacts a run may export, and on which day.

Pure: figures come in, a verdict goes out. Who holds how much of which day is kept by `state/reservations.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Share:
    """How the matched contacts divide; `matched` is their sum.

    Attributes:
        already_delivered: skipped because an earlier run of an incremental export delivered them unchanged.
        granted: in the jobs of this run.
        over_quota: the day's quota did not reach them.
        over_limit: beyond the limit somebody gave the run.
    """

    already_delivered: int
    granted: int
    over_quota: int
    over_limit: int

    @property
    def matched(self) -> int:
        """All of them."""
        return self.already_delivered + self.granted + self.over_quota + self.over_limit


def share_out(*, matched: int, already_delivered: int, limit: int | None, granted: int) -> Share:
    """Divide the matches into what is exported and what is left out.

    What was delivered before is taken out first, then the limit cuts, then the quota.

    Args:
        matched: contacts the search matched.
        already_delivered: those of them an incremental export has delivered unchanged.
        limit: what somebody limited the run to; None for no limit.
        granted: contacts the quota allows, as far as known; more than wanted means all of them.
    """
    fresh = matched - already_delivered
    wanted = fresh if limit is None else min(limit, fresh)
    granted = min(granted, wanted)
    return Share(already_delivered, granted, wanted - granted, fresh - wanted)
