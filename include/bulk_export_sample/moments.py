"""When contacts start.

In working hours of each zone, fewer at weekends, denser towards the end.

Half of all contacts fall into the last eight days, so that a search for the last seven complete days, whatever the
time of day, finds a good part.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from bulk_export_sample.people import ZONES
from bulk_export_sample.randomness import Floats, Ints, Stream, generator
from bulk_export_sample.request import SampleRequest

_HOUR_S = 3_600
_DAY_S = 86_400
_RECENT_DAYS = 8
_RECENT_SHARE = 0.5
_TIED_SHARE = 0.01
# By local hour of the day and by weekday from Monday.
_HOURS = np.array([1, 1, 1, 1, 1, 2, 4, 10, 30, 50, 60, 55, 45, 40, 50, 55, 50, 40, 28, 18, 10, 6, 3, 2], np.float64)
_WEEKDAYS = np.array([1.1, 1.0, 1.0, 1.0, 0.9, 0.4, 0.25])


@dataclass(frozen=True, slots=True)
class Moments:
    """The starts of all contacts of a store, oldest first.

    Attributes:
        started_s: seconds since 1970, UTC, ascending; a few are equal.
        zone: index into `people.ZONES`.
    """

    started_s: Ints
    zone: Ints


def draw_moments(request: SampleRequest) -> Moments:
    """The starts of every contact of the store (16 bytes a contact)."""
    rng = generator(request.seed, Stream.MOMENTS)
    slots = request.until_s - _HOUR_S * np.arange(request.days * 24, 0, -1, dtype=np.int64)
    zone = rng.choice(len(ZONES), size=request.contacts, p=[each.share for each in ZONES]).astype(np.int64)
    started = np.empty(request.contacts, dtype=np.int64)
    for index, each in enumerate(ZONES):
        here = np.flatnonzero(zone == index)
        offset = request.until.astimezone(ZoneInfo(each.name)).utcoffset()
        offset_s = int(offset.total_seconds()) if offset is not None else 0
        reach = np.cumsum(_weights(slots, offset_s, request.until_s))
        # One draw per equal slice of the whole keeps the shares even in a small store.
        wanted = (np.arange(here.size) + rng.random(here.size)) / max(here.size, 1) * reach[-1]
        slot = np.searchsorted(reach, wanted, side="right").clip(max=slots.size - 1)
        started[here] = slots[slot] + rng.integers(0, _HOUR_S, here.size)
    order = np.argsort(started, kind="stable")
    started, zone = started[order], zone[order]
    # Two contacts in one second are common in a busy centre, and are what an order by start alone gets wrong.
    tied = np.flatnonzero(rng.random(request.contacts) < _TIED_SHARE)
    tied = tied[tied > 0]
    started[tied] = started[tied - 1]
    return Moments(started, zone)


def _weights(slots: Ints, offset_s: int, until_s: int) -> Floats:
    """How many contacts each hour gets, relative to the others."""
    local = slots + offset_s
    weekday = (local // _DAY_S + 3) % 7  # 1 January 1970 was a Thursday.
    weights: Floats = _HOURS[local // _HOUR_S % 24] * _WEEKDAYS[weekday]
    recent = slots >= until_s - _RECENT_DAYS * _DAY_S
    if recent.all():
        return weights
    weights[~recent] *= np.linspace(0.4, 1.0, int((~recent).sum()))
    weights[recent] *= _RECENT_SHARE / weights[recent].sum()
    weights[~recent] *= (1 - _RECENT_SHARE) / weights[~recent].sum()
    return weights
