"""Divide the matched contacts of a run: delivered before, granted, over the quota, over the limit. Counts only."""

from __future__ import annotations

from dataclasses import dataclass


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
    """Divide the matches: first what was delivered before is taken out, then the limit cuts, then the quota.

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
