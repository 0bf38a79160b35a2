"""What `@stage` adds to a function: the run, its errors in the record, and a failed run opened again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bulk_export import pipeline
from bulk_export.errors import RefusedError, TransientError
from bulk_export.runs.open_run import OpenRun
from bulk_export.stages.stage import stage
from bulk_export.state.records import RunStatus
from bulk_export.state.reservations import usage

if TYPE_CHECKING:
    from workbench import Workbench

    from conftest import WithJobs


@stage
def copy(run: OpenRun, job: int, *, fails: Exception | None = None) -> str:
    """A stage of a job that ends as it is told."""
    if fails is not None:
        raise fails
    return f"{run.record.export_id} {job}"


@pytest.fixture
def run(bench: Workbench, with_jobs: WithJobs) -> OpenRun:
    bench.contacts([bench.call(1), bench.call(2)])
    return with_jobs()


def held(run: OpenRun) -> int:
    return usage(run.site.engine, "acme", run.site.clock().date()).held


def test_it_is_called_with_site_and_run_id_and_gets_the_run(run: OpenRun) -> None:
    assert copy(run.site, run.record.run_id, 3) == "nightly 3"
    assert (copy.__name__, copy.__doc__) == ("copy", "A stage of a job that ends as it is told.")


def test_an_error_is_in_the_record_until_the_same_job_succeeds(run: OpenRun) -> None:
    site, run_id = run.site, run.record.run_id
    with pytest.raises(TransientError):
        copy(site, run_id, 1, fails=TransientError("STORAGE_UNREACHABLE", "no answer"))
    assert (site.reread(run_id).error_code, site.reread(run_id).failed_stage) == ("STORAGE_UNREACHABLE", "copy")

    copy(site, run_id, 2)
    assert site.reread(run_id).error_code == "STORAGE_UNREACHABLE"
    copy(site, run_id, 1)
    assert site.reread(run_id).error_code == ""


def test_an_unforeseen_error_is_recorded_by_its_kind_alone(run: OpenRun) -> None:
    with pytest.raises(ZeroDivisionError):
        copy(run.site, run.record.run_id, 1, fails=ZeroDivisionError("Ana Pérez, 600 123 456"))
    record = run.site.reread(run.record.run_id)
    assert record.error_code == "INTERNAL_ERROR"
    assert "ZeroDivisionError" in record.error_message
    assert "Ana" not in f"{record.error_message}{record.error_hint}"


def test_a_failed_run_is_open_again_and_holds_quota_again(run: OpenRun) -> None:
    pipeline.write_audit(run.site, run.record.run_id, ("copy_media",))
    assert held(run) == 0

    copy(run.site, run.record.run_id, 1)

    assert run.site.reread(run.record.run_id).status is RunStatus.RUNNING
    assert held(run) == 2


def test_a_failed_run_whose_quota_others_have_taken_is_refused_and_stays_failed(
    bench: Workbench, with_jobs: WithJobs
) -> None:
    bench.write_settings(licence={"type": "standard", "daily_contacts": 3})
    bench.contacts([bench.call(1), bench.call(2)])
    failed = with_jobs()
    pipeline.write_audit(failed.site, failed.record.run_id, ("copy_media",))
    bench.run()

    with pytest.raises(RefusedError, match=r"GRANT_CHANGED.*granted 2 contacts .* now 1"):
        copy(bench.site(), failed.record.run_id, 1)

    assert failed.site.reread(failed.record.run_id).status is RunStatus.FAILED
