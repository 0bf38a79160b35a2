from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from bulk_export.reasons import ItemStatus, Reason
from bulk_export.state.delivered_contacts import record_deliveries
from bulk_export.state.items import Item, record_items
from bulk_export.state.publications import record_published
from bulk_export.state.runs import create_run
from bulk_export.state.undelivered import list_failed, list_undelivered, record_undelivered

T0 = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def faulty(contact_id: int) -> Item:
    return Item(contact_id, ItemStatus.FAULTY, Reason.MEDIA_MISSING)


def deferred(contact_id: int) -> Item:
    return Item(contact_id, ItemStatus.DEFERRED, Reason.QUOTA_EXCEEDED)


def close(state: Engine, make_run, run_id: str, *items: Item, export_id: str = "weekly") -> None:
    create_run(state, make_run(run_id, export_id=export_id), T0)
    record_items(state, run_id, items)
    record_undelivered(state, export_id, run_id, [item.contact_id for item in items])


def test_what_was_tried_and_faulty_is_told_from_what_quota_left(state: Engine, make_run) -> None:
    close(state, make_run, "run/1", faulty(2), deferred(1), deferred(3))
    close(state, make_run, "run/2", deferred(2), faulty(1))
    assert list_undelivered(state, "weekly") == [1, 2, 3]
    assert list_failed(state, "weekly", run_id="run/3") == [1, 2]


def test_what_was_delivered_at_last_did_not_fail(state: Engine, make_run) -> None:
    close(state, make_run, "run/1", faulty(1), faulty(2))
    create_run(state, make_run("run/2", export_id="weekly"), T0)
    record_deliveries(state, "weekly", "run/2", [(1, T0)])
    assert list_failed(state, "weekly", run_id="run/3") == [1, 2]  # what is not published is not delivered
    record_published(state, "run/2", manifest_sha256="ab" * 32, now=T0)
    assert list_failed(state, "weekly", run_id="run/3") == [2]


def test_a_run_that_is_run_again_is_not_shown_its_own_failures(state: Engine, make_run) -> None:
    close(state, make_run, "run/1", faulty(1))
    close(state, make_run, "run/2", faulty(1), faulty(2))
    assert list_failed(state, "weekly", run_id="run/2") == [1]


def test_what_another_export_tried_says_nothing(state: Engine, make_run) -> None:
    close(state, make_run, "run/1", faulty(1), export_id="monthly")
    close(state, make_run, "run/2", deferred(1))
    assert list_failed(state, "weekly", run_id="run/3") == []
