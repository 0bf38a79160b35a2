"""A follow-up run between the day that asks for it and the day it runs: shown as queued, found where it was lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from workbench import Workbench

from bulk_export.maintenance import abandoned_runs, close_abandoned
from bulk_export.pipeline import publish_manifest, write_audit
from bulk_export.runs.follow_up import has_rest, lost_follow_ups, show_queued
from bulk_export.state.events import list_events
from bulk_export.state.records import RunRecord, RunStatus, Trigger
from bulk_export.state.reservations import usage
from bulk_export.state.runs import list_runs

FIRST, NEXT = "dag/run", "dag/tomorrow"
# The first instant of the next day in Bogota.
DUE = datetime(2026, 11, 24, 5, tzinfo=UTC)


@pytest.fixture
def continued(bench: Workbench) -> Workbench:
    """An export of four contacts under a licence for three a day, of which the first run has ended."""
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 5)])
    bench.write_settings(licence={"type": "standard", "daily_contacts": 3})
    bench.export()
    record = run(bench, FIRST)
    assert (record.status, record.follow_up_run_id) == (RunStatus.CONTINUED, NEXT)
    return bench


def run(bench: Workbench, run_id: str, **changes: str) -> RunRecord:
    """A run as Airflow does it."""
    request = bench.request(run_id=run_id, dag_id="dag", dag_run_id=run_id.removeprefix("dag/"), **changes)
    site = bench.up_to_publishing(request)
    publish_manifest(site, run_id)
    return write_audit(site, run_id, follow_up=lambda record: NEXT)


def address(dag_id: str, dag_run_id: str) -> str:
    return f"https://airflow/{dag_id}/{dag_run_id}"


def yes(_dag_id: str, _dag_run_id: str) -> bool:
    return True


def no(_dag_id: str, _dag_run_id: str) -> bool:
    return False


def queue(bench: Workbench) -> RunRecord:
    site = bench.site()
    show_queued(site, site.reread(FIRST), address)
    return site.reread(NEXT)


def test_a_follow_up_that_waits_is_queued_until_the_next_quota_day_and_reserves_nothing(continued: Workbench) -> None:
    used = usage(continued.site().engine, "acme", continued.now.date())

    record = queue(continued)

    assert (record.status, record.trigger, record.continues_run_id) == (RunStatus.QUEUED, Trigger.CONTINUATION, FIRST)
    assert (record.queued_at, record.started_at, record.granted, record.matched) == (DUE, None, None, None)
    assert (record.export_id, record.export_name, record.directory) == ("nightly", "Nightly", "")
    assert (record.dag_id, record.dag_run_id) == ("dag", "tomorrow")
    assert record.dag_run_url == "https://airflow/dag/tomorrow"
    assert usage(continued.site().engine, "acme", continued.now.date()) == used


def test_a_queued_follow_up_that_starts_is_the_same_run_with_what_is_true_on_its_day(continued: Workbench) -> None:
    queue(continued)
    continued.now += timedelta(days=1)
    continued.write_settings(licence={"type": "performance"})

    record = run(continued, NEXT, continues_run_id=FIRST)

    assert (record.status, record.exported, record.licence) == (RunStatus.COMPLETED, 1, "performance")
    assert (record.queued_at, record.started_at) == (DUE, continued.now)
    assert "/20261124T080000Z_" in record.directory
    assert len(continued.items(record)) == 1
    events = list_events(continued.site().engine, action="triggered")
    assert sorted(event.detail for event in events) == [f"run {FIRST}", f"run {NEXT}"]


def test_showing_a_follow_up_that_has_begun_changes_nothing(continued: Workbench) -> None:
    continued.now += timedelta(days=1)
    before = run(continued, NEXT, continues_run_id=FIRST)

    assert queue(continued) == before


def test_a_queued_follow_up_is_left_alone_while_airflow_has_it_and_closed_once_it_is_gone(continued: Workbench) -> None:
    queue(continued)
    continued.now += timedelta(days=3)  # its DAG is paused
    site = continued.site()
    assert abandoned_runs(site, yes) == []

    assert abandoned_runs(site, no) == [NEXT]
    record = close_abandoned(site, NEXT, no)

    assert record is not None
    assert (record.status, record.error_code, record.quota_used) == (RunStatus.FAILED, "INTERRUPTED", None)
    assert has_rest(site.engine, site.reread(FIRST))
    assert lost_follow_ups(site, no, address) == []  # somebody took it away


def test_a_follow_up_that_has_neither_record_nor_dag_run_was_lost(continued: Workbench) -> None:
    asked: list[tuple[str, str]] = []

    def known(dag_id: str, dag_run_id: str) -> bool:
        asked.append((dag_id, dag_run_id))
        return False

    assert lost_follow_ups(continued.site(), known, address) == [FIRST]
    assert asked == [("dag", "tomorrow")]


def test_a_follow_up_that_airflow_has_is_not_lost_and_is_shown_from_then_on(continued: Workbench) -> None:
    assert lost_follow_ups(continued.site(), yes, address) == []
    assert continued.site().reread(NEXT).status is RunStatus.QUEUED
    assert lost_follow_ups(continued.site(), no, address) == []


@pytest.mark.parametrize("what", ["the export", "the rest"])
def test_a_follow_up_that_can_no_longer_run_is_not_queued_again(continued: Workbench, what: str) -> None:
    if what == "the export":
        (continued.definitions / "exports/nightly.yaml").unlink()
    else:
        continued.now += timedelta(days=1)
        assert continued.run(run_id="cli/run", continues_run_id=FIRST).exported == 1

    assert lost_follow_ups(continued.site(), no, address) == []
    assert NEXT not in [record.run_id for record in list_runs(continued.site().engine)]
