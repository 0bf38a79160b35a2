"""Clocks that jump under a run: it ends as in peace."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from workbench import NOW, Workbench

from bulk_export.bag.verify import verify_run
from bulk_export.pipeline import run_export
from bulk_export.state.records import RunStatus
from bulk_export.state.reservations import usage
from bulk_export.storage.local import LocalStorage

pytestmark = pytest.mark.faults("clock")

JUMPS: dict[str, timedelta] = {
    "a second back": -timedelta(seconds=1),
    "an hour back": -timedelta(hours=1),
    "a day back": -timedelta(days=1),
    "to the year 1970": datetime(1970, 1, 1, tzinfo=NOW.tzinfo) - NOW,
    "an hour on": timedelta(hours=1),
    "a day on": timedelta(days=1),
    "ten years on": timedelta(days=3_653),
}


def jumping(jump: timedelta, after: int) -> Iterator[datetime]:
    """A clock that jumps once, after it was read so often."""
    for number in itertools.count():
        yield NOW + timedelta(milliseconds=number) + (jump if number >= after else timedelta())


@pytest.mark.parametrize("after", [1, 4, 8])
@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_changes_nothing_of_what_is_delivered_and_charged(
    bench: Workbench, jump: str, after: int
) -> None:
    bench.contacts([bench.call(1, seconds=0.1), bench.call(2, seconds=0.1)])
    bench.export(incremental=True)
    moments = jumping(JUMPS[jump], after)
    site = replace(bench.site(), clock=lambda: next(moments))

    record = run_export(site, bench.request())

    assert (record.status, record.exported) == (RunStatus.COMPLETED, 2)
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()
    days = {moment.date() for moment in (NOW - timedelta(days=1), NOW, NOW + timedelta(days=1), NOW + JUMPS[jump])}
    zones = {day + timedelta(days=offset) for day in days for offset in (-1, 0, 1)}
    assert sum(usage(site.engine, "acme", day).used for day in zones) == 2
    assert bench.run().exported == 0
