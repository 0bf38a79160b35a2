"""Wait for what another process does: on a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def until(
    what: str,
    holds: Callable[[], Found],
    limit_s: float,
    *,
    words: Callable[[], str] = lambda: "",
    every_s: float = 0.1,
) -> Found:
    """What a condition finds, once it finds something.

    Args:
        what: is waited for, for the failure.
        holds: the condition.
        limit_s: seconds after which nothing comes any more.
        words: what else the failure should say.
        every_s: seconds from one look to the next; longer where a look costs the machine something.
    """
    deadline = time.monotonic() + limit_s
    while not (found := holds()):
        assert time.monotonic() < deadline, f"still not so after {limit_s:.0f} s: {what}\n{words()}"
        time.sleep(every_s)
    return found
