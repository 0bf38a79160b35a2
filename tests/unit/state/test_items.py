from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from bulk_export.errors import DefinitionError
from bulk_export.reasons import ItemStatus, Reason
from bulk_export.state.database import open_state
from bulk_export.state.items import Item, list_items, record_items
from bulk_export.state.runs import create_run

T0 = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
CORRUPT = Item(9_007_199_254_740_993, ItemStatus.FAULTY, Reason.MEDIA_CORRUPT, "no audio stream")
DEFERRED = Item(7, ItemStatus.DEFERRED, Reason.QUOTA_EXCEEDED)
UNEXPLAINED = Item(8, ItemStatus.FAULTY)


def test_items_read_back_by_contact(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    assert record_items(state, run_id, [CORRUPT, DEFERRED, UNEXPLAINED]) == 3
    assert list_items(state, run_id) == [DEFERRED, UNEXPLAINED, CORRUPT]
    assert list_items(state, "another/run") == []


def test_recording_again_replaces_the_items_of_that_run_only(state: Engine, make_run) -> None:
    for run_id in ("a", "b"):
        create_run(state, make_run(run_id), T0)
        record_items(state, run_id, [CORRUPT, DEFERRED])
    record_items(state, "a", [DEFERRED])
    assert list_items(state, "a") == [DEFERRED]
    assert list_items(state, "b") == [DEFERRED, CORRUPT]


def test_others_write_while_many_items_are_recorded(state: Engine, state_url: str, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    impatient = open_state(state_url, busy_timeout_s=0.1)

    def many() -> Iterator[Item]:
        for number in range(25_000):
            if number == 24_000:
                create_run(impatient, make_run("another/run"), T0)
            yield Item(number, ItemStatus.DEFERRED, Reason.QUOTA_EXCEEDED)

    assert record_items(state, run_id, many()) == 25_000
    assert len(list_items(state, run_id, limit=30_000)) == 25_000


def test_recording_that_was_cut_short_converges_when_it_is_repeated(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    first = [Item(number, ItemStatus.FAULTY, Reason.MEDIA_MISSING) for number in range(25_000)]

    def cut_short() -> Iterator[Item]:
        yield from first
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        record_items(state, run_id, cut_short())
    again = [first[5], DEFERRED, *first[8:15_000], CORRUPT]
    assert record_items(state, run_id, again) == len(again)
    assert list_items(state, run_id, limit=30_000) == again


def test_items_come_in_pages_and_by_status_or_reason(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    items = [Item(number, ItemStatus.FAULTY, Reason.MEDIA_MISSING) for number in range(25_000)]
    record_items(state, run_id, [*items, CORRUPT])
    assert list_items(state, run_id, limit=2, after=24_997) == items[24_998:]
    assert list_items(state, run_id, reason=Reason.MEDIA_CORRUPT) == [CORRUPT]
    assert list_items(state, run_id, status=ItemStatus.DEFERRED) == []


def test_items_of_an_unknown_run_are_refused(state: Engine) -> None:
    with pytest.raises(DefinitionError, match="RUN_UNKNOWN"):
        record_items(state, "no/run", [CORRUPT])
