"""Retry policy of requests to buckets.

Every request is tried again until it goes through or its window closes.

Only what waiting may cure is tried again (`TransientError` STORAGE_UNREACHABLE: throttling, resets, stalls, outages).
One loop for every verb and every service, so that there is one place to say how long an outage a run survives.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bulk_export.errors import TransientError

_Answer = TypeVar("_Answer")


def _unreachable(error: TransientError) -> bool:
    return error.code == "STORAGE_UNREACHABLE"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long and how often one request is tried.

    Attributes:
        window_s: how long one request is tried again; then its error is the answer, and the task itself is retried.
        timeout_s: longest time one try may take, its body included.
        connect_s: longest time for a connection.
        first_pause_s: before the second try; each pause is up to twice the one before.
        longest_pause_s: between two tries.
    """

    window_s: float = 90.0
    timeout_s: float = 120.0
    connect_s: float = 10.0
    first_pause_s: float = 0.2
    longest_pause_s: float = 10.0

    def call(self, fn: Callable[[], _Answer], may_pass: Callable[[TransientError], bool] = _unreachable) -> _Answer:
        """What `fn` returns, tried again while the service does not answer.

        Args:
            fn: one request.
            may_pass: whether waiting may cure an error.
        """
        closes, pause = time.monotonic() + self.window_s, self.first_pause_s
        while True:
            try:
                return fn()
            except TransientError as error:
                # Jitter: many threads that were throttled together must not come back together.
                wait = pause * random.uniform(0.5, 1.0)
                if not may_pass(error) or time.monotonic() + wait > closes:
                    raise
            time.sleep(wait)
            pause = min(2 * pause, self.longest_pause_s)
