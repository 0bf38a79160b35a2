"""The budget of bytes per second, by a clock that stands still unless somebody sleeps."""

from __future__ import annotations

from bulk_export.media.throttle import Throttle


class Clock:
    def __init__(self) -> None:
        self.now, self.slept = 100.0, 0.0

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def test_many_files_take_as_long_as_their_bytes_do() -> None:
    clock = Clock()
    throttle = Throttle(1_000, clock=clock.read, sleep=clock.sleep)
    for _ in range(11):
        throttle.spend(500)
    assert clock.slept == 5.0  # the last one's bytes are paid for by whoever comes next


def test_time_that_passed_unused_is_not_saved_up() -> None:
    clock = Clock()
    throttle = Throttle(1_000, clock=clock.read, sleep=clock.sleep)
    clock.now += 3_600
    throttle.spend(1_000)
    throttle.spend(1_000)
    assert clock.slept == 1.0
