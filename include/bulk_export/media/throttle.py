"""Limit how many bytes a second the threads of a job read."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock


class Throttle:
    """A budget of bytes per second that threads share.

    Whoever wants bytes waits until those before have been paid for: nothing is saved up, so there are no bursts.

    Args:
        bytes_per_second: the budget.
        clock: seconds that only grow.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        bytes_per_second: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate = bytes_per_second
        self._clock, self._sleep = clock, sleep
        self._paid_until = clock()
        self._lock = Lock()

    def spend(self, size: int) -> None:
        """Return once `size` bytes may pass."""
        with self._lock:
            now = self._clock()
            begins = max(self._paid_until, now)
            self._paid_until = begins + size / self._rate
        if begins > now:
            self._sleep(begins - now)
