"""Limit how often a person does something, within this process."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable


class RateLimit:
    """At most `times` calls per person within `seconds`.

    Args:
        times: calls allowed.
        seconds: length of the window, which slides.
        clock: seconds that only grow.
    """

    def __init__(self, times: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._times, self._seconds, self._clock = times, seconds, clock
        self._calls: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def wait(self, who: str) -> float:
        """Count a call, or return the seconds to wait.

        0 means that it is allowed; a call that has to wait is not counted.
        """
        with self._lock:
            now = self._clock()
            calls = self._calls.setdefault(who, deque())
            while calls and calls[0] <= now - self._seconds:
                calls.popleft()
            if len(calls) >= self._times:
                return calls[0] + self._seconds - now
            calls.append(now)
            return 0.0
