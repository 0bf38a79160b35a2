from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain

from sqlalchemy import Engine

from bulk_export.state.delivered_contacts import delivered_before, record_deliveries

T0 = datetime(2026, 11, 23, 7, 30, 0, 5, tzinfo=UTC)


def test_deliveries_read_back_in_batches_by_contact(state: Engine) -> None:
    rows = [(number, T0 + timedelta(seconds=number)) for number in range(25_000)]
    assert record_deliveries(state, "weekly", "run/1", reversed(rows)) == 25_000
    found = list(delivered_before(state, "weekly", batch_rows=10_000))
    assert [len(batch) for batch in found] == [10_000, 10_000, 5_000]
    assert list(chain.from_iterable(found)) == rows


def test_a_contact_delivered_again_has_its_newest_time(state: Engine) -> None:
    record_deliveries(state, "weekly", "run/1", [(1, T0), (2, None)])
    record_deliveries(state, "weekly", "run/2", [(1, T0 + timedelta(days=1))])
    assert list(delivered_before(state, "weekly")) == [[(1, T0 + timedelta(days=1)), (2, None)]]


def test_exports_remember_for_themselves(state: Engine) -> None:
    record_deliveries(state, "weekly", "run/1", [(1, T0)])
    assert list(delivered_before(state, "monthly")) == []


def test_a_run_that_is_run_again_is_not_shown_its_own_deliveries(state: Engine) -> None:
    record_deliveries(state, "weekly", "run/1", [(1, T0)])
    record_deliveries(state, "weekly", "run/2", [(2, T0), (3, T0)])
    assert list(delivered_before(state, "weekly", run_id="run/2")) == [[(1, T0)]]


def test_a_batch_that_is_exactly_full_ends_well(state: Engine) -> None:
    record_deliveries(state, "weekly", "run/1", [(1, T0), (2, T0)])
    assert [len(batch) for batch in delivered_before(state, "weekly", batch_rows=2)] == [2]
