"""A run that ends without a word is closed, gives its quota back, and can be taken up again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from workbench import Workbench

from bulk_export.maintenance import clear_old_staging, close_abandoned
from bulk_export.pipeline import (
    batch_contacts,
    build_csv,
    check_quota,
    copy_media,
    export_transcripts,
    publish_manifest,
    validate_filters,
)
from bulk_export.run_request import RunRequest
from bulk_export.state.records import RunStatus
from bulk_export.state.reservations import usage


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


def held(bench: Workbench) -> int:
    return usage(bench.site().engine, "acme", bench.now.date()).used


def test_a_run_that_is_still_going_is_left_alone(killed: tuple[Workbench, RunRequest]) -> None:
    bench, request = killed

    assert close_abandoned(bench.site(), lambda dag_id, run_id: (dag_id, run_id) == ("dag", "run")) == []
    assert bench.site().reread(request.run_id).status is RunStatus.RUNNING
    assert held(bench) == 4


def test_a_run_that_is_gone_is_closed_and_converges_when_it_is_cleared(killed: tuple[Workbench, RunRequest]) -> None:
    bench, request = killed

    [record] = close_abandoned(bench.site(), lambda *_: False)

    assert (record.status, record.error_code) == (RunStatus.FAILED, "INTERRUPTED")
    assert held(bench) == 0
    again = bench.run(run_id=request.run_id, dag_id="dag", dag_run_id="run")
    assert (again.status, again.exported, again.directory, held(bench)) == (
        RunStatus.COMPLETED,
        4,
        record.directory,
        4,
    )


def test_a_run_killed_after_it_was_published_is_completed_and_charged(killed: tuple[Workbench, RunRequest]) -> None:
    bench, request = killed
    for stage in (copy_media, export_transcripts):
        stage(bench.site(), request.run_id, 1)
    build_csv(bench.site(), request.run_id)
    publish_manifest(bench.site(), request.run_id)

    [record] = close_abandoned(bench.site(), lambda *_: False)

    assert (record.status, record.exported, held(bench)) == (RunStatus.COMPLETED, 4, 4)


def test_a_command_line_run_is_closed_after_hours_of_silence(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.export()
    request = bench.request()
    validate_filters(bench.site(), request)
    bench.now += timedelta(hours=5)
    assert close_abandoned(bench.site(), lambda *_: True) == []
    bench.now += timedelta(hours=2)

    assert [record.run_id for record in close_abandoned(bench.site(), lambda *_: True)] == [request.run_id]


def test_staging_of_failed_runs_is_cleared_after_two_weeks(killed: tuple[Workbench, RunRequest]) -> None:
    bench, request = killed
    close_abandoned(bench.site(), lambda *_: False)
    bench.now += timedelta(days=13)
    assert clear_old_staging(bench.site()) == []
    bench.now += timedelta(days=2)

    assert clear_old_staging(bench.site()) == [request.run_id]
    assert [path for path in (bench.root / "staging").rglob("*") if path.is_file()] == []
    assert clear_old_staging(bench.site()) == []
