"""A run that ends without a word is closed, gives its quota back, and can be taken up again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from workbench import Workbench

from bulk_export.errors import BulkExportError
from bulk_export.maintenance import StillGoing, abandoned_runs, clear_old_staging, close_abandoned
from bulk_export.pipeline import (
    batch_contacts,
    build_csv,
    check_quota,
    copy_media,
    export_transcripts,
    publish_manifest,
    validate_filters,
)
from bulk_export.runs.request import RunRequest
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.reservations import usage
from bulk_export.state.undelivered import list_undelivered


@pytest.fixture
def killed(bench: Workbench) -> tuple[Workbench, RunRequest]:
    """A run whose process went away after its jobs were cut."""
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 5)])
    bench.export()
    request = bench.request(run_id="dag/run", dag_id="dag", dag_run_id="run")
    validate_filters(bench.site(), request)
    check_quota(bench.site(), request.run_id)
    batch_contacts(bench.site(), request.run_id)
    return bench, request


def gone(_dag_id: str, _dag_run_id: str) -> bool:
    return False


def close_all(bench: Workbench, still_going: StillGoing = gone) -> list[RunRecord]:
    """A pass of the maintenance DAG."""
    site = bench.site()
    closed = [
        close_abandoned(site, run_id, still_going, follow_up=lambda record: f"{record.dag_id}/tomorrow")
        for run_id in abandoned_runs(site, still_going)
    ]
    return [record for record in closed if record is not None]


def publish(bench: Workbench, run_id: str) -> None:
    for job in batch_contacts(bench.site(), run_id):
        copy_media(bench.site(), run_id, job)
        export_transcripts(bench.site(), run_id, job)
    build_csv(bench.site(), run_id)
    publish_manifest(bench.site(), run_id)


def held(bench: Workbench) -> int:
    return usage(bench.site().engine, "acme", bench.now.date()).used


def test_a_run_that_is_still_going_is_left_alone(killed: tuple[Workbench, RunRequest]) -> None:
    bench, request = killed

    assert close_all(bench, lambda dag_id, run_id: (dag_id, run_id) == ("dag", "run")) == []
    assert bench.site().reread(request.run_id).status is RunStatus.RUNNING
    assert held(bench) == 4


@pytest.mark.faults("kill")
def test_a_run_that_is_gone_is_closed_and_converges_when_it_is_cleared(killed: tuple[Workbench, RunRequest]) -> None:
    bench, request = killed

    [record] = close_all(bench)

    assert (record.status, record.error_code) == (RunStatus.FAILED, "INTERRUPTED")
    assert held(bench) == 0
    again = bench.run(run_id=request.run_id, dag_id="dag", dag_run_id="run")
    assert (again.status, again.exported, again.directory, held(bench)) == (
        RunStatus.COMPLETED,
        4,
        record.directory,
        4,
    )


@pytest.mark.faults("kill")
def test_a_run_killed_after_it_was_published_is_completed_and_charged(killed: tuple[Workbench, RunRequest]) -> None:
    bench, request = killed
    publish(bench, request.run_id)

    [record] = close_all(bench)

    assert (record.status, record.exported, held(bench)) == (RunStatus.COMPLETED, 4, 4)


def test_a_command_line_run_is_closed_after_hours_of_silence(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.export()
    request = bench.request()
    validate_filters(bench.site(), request)
    bench.now += timedelta(hours=5)
    assert close_all(bench, lambda *_: True) == []
    bench.now += timedelta(hours=2)

    assert [record.run_id for record in close_all(bench, lambda *_: True)] == [request.run_id]


@pytest.mark.parametrize(
    ("dag", "status", "follow_up"), [("", RunStatus.COMPLETED, ""), ("dag", RunStatus.CONTINUED, "dag/tomorrow")]
)
def test_a_run_killed_after_it_was_published_is_followed_up_where_somebody_queues(
    bench: Workbench, dag: str, status: RunStatus, follow_up: str
) -> None:
    """On the command line nobody does: `--continue` takes up the rest."""
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 5)])
    bench.write_settings(licence={"type": "standard", "daily_contacts": 3})
    bench.export()
    request = bench.request(dag_id=dag, dag_run_id=dag and "run")
    validate_filters(bench.site(), request)
    check_quota(bench.site(), request.run_id)
    publish(bench, request.run_id)
    bench.now += timedelta(days=1)

    [record] = close_all(bench)

    assert (record.status, record.follow_up_run_id) == (status, follow_up)
    continued = bench.run(continues_run_id=request.run_id)
    assert (continued.status, continued.exported) == (RunStatus.COMPLETED, 1)


def test_a_run_that_is_closed_already_is_returned_as_it_is(
    killed: tuple[Workbench, RunRequest],
) -> None:
    bench, request = killed
    [record] = close_all(bench)

    assert abandoned_runs(bench.site(), gone) == []
    assert close_abandoned(bench.site(), request.run_id, gone) == record


def test_a_run_that_goes_on_after_all_is_left_alone(killed: tuple[Workbench, RunRequest]) -> None:
    bench, request = killed
    assert abandoned_runs(bench.site(), gone) == [request.run_id]

    assert close_abandoned(bench.site(), request.run_id, lambda *_: True) is None
    assert held(bench) == 4


def test_an_incremental_run_whose_closing_fails_stays_open_until_what_it_owes_is_remembered(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in (1, 2)])
    bench.export(incremental=True)
    request = bench.request(run_id="dag/run", dag_id="dag", dag_run_id="run")
    validate_filters(bench.site(), request)
    check_quota(bench.site(), request.run_id)
    [keys] = (bench.root / "staging").glob("*/fresh.parquet")
    keys.write_bytes(b"torn")
    (bench.root / "store").rename(bench.root / "away")  # and nobody can select them anew

    with pytest.raises(BulkExportError, match="STORE_"):
        close_all(bench)
    assert abandoned_runs(bench.site(), gone) == [request.run_id]

    (bench.root / "away").rename(bench.root / "store")
    assert [record.status for record in close_all(bench)] == [RunStatus.FAILED]
    assert list_undelivered(bench.site().engine, "nightly") == [1, 2]


def test_staging_of_failed_runs_is_cleared_after_two_weeks(killed: tuple[Workbench, RunRequest]) -> None:
    bench, request = killed
    close_all(bench)
    bench.now += timedelta(days=13)
    assert clear_old_staging(bench.site()) == []
    bench.now += timedelta(days=2)

    assert clear_old_staging(bench.site()) == [request.run_id]
    assert [path for path in (bench.root / "staging").rglob("*") if path.is_file()] == []
    assert clear_old_staging(bench.site()) == []
