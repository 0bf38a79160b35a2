"""Silence, talk-over and hold figures of calls.

They agree with each other and with the call's duration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bulk_export_sample.randomness import Flags, Ints


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one kind per call, in whole seconds.

    `low <= average <= high`, and their sum is `total`.

    Attributes:
        some: whether there was an event at all; without, `low`, `average` and `high` mean nothing.
        count: number of events.
        total, low, average, high: seconds.
    """

    some: Flags
    count: Ints
    total: Ints
    low: Ints
    average: Ints
    high: Ints


def draw_events(rng: np.random.Generator, duration_s: Ints, *, most_share: float, every_s: float) -> Events:
    """Draw events of a share of each duration.

    They take up to `most_share` of it, about one in `every_s` seconds.
    """
    total = np.floor(duration_s * rng.beta(1.5, 3.0, duration_s.size) * most_share).astype(np.int64)
    # Every event lasts a second or more.
    count = np.minimum(1 + rng.poisson(duration_s / every_s), total)
    divisor = np.maximum(count, 1)
    average = total // divisor
    low = np.maximum(1, (average * rng.uniform(0.2, 1.0, total.size)).astype(np.int64))
    others = np.maximum(count - 1, 1)
    left = total - low
    least = -(-left // others)  # Some event is as long as the mean of the others, rounded up.
    most = np.maximum(left - (count - 2).clip(0) * low, least)
    high = least + ((most - least) * rng.uniform(0.0, 0.6, total.size)).astype(np.int64)
    single = count <= 1
    return Events(
        some=count > 0,
        count=count,
        total=total,
        low=np.where(single, total, low),
        average=average,
        high=np.where(single, total, high),
    )
