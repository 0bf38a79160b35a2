"""The last stage closes the record whatever happened, and clears only what nobody needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bulk_export import pipeline
from bulk_export.errors import DefinitionError
from bulk_export.stages.write_audit import write_audit
from bulk_export.state.events import list_events
from bulk_export.state.records import RunStatus
from bulk_export.state.reservations import usage

if TYPE_CHECKING:
    from workbench import Workbench

    from bulk_export.runs.open_run import OpenRun
    from conftest import WithJobs


def publish(run: OpenRun) -> None:
    for job in run.staging.jobs():
        pipeline.copy_media(run.site, run.record.run_id, job)
        pipeline.export_transcripts(run.site, run.record.run_id, job)
    pipeline.build_csv(run.site, run.record.run_id)
    pipeline.publish_manifest(run.site, run.record.run_id)


def used(bench: Workbench) -> int:
    return usage(bench.site().engine, "acme", bench.now.date()).used


def test_a_published_run_is_charged_what_it_exported_and_its_staging_area_is_cleared(
    bench: Workbench, with_jobs: WithJobs
) -> None:
    bench.contacts([bench.call(1), bench.call(2, audio_uri="media/nowhere.wav")])
    run = with_jobs()
    publish(run)

    record = write_audit(run.site, run.record.run_id)

    assert (record.status, record.exported, used(bench)) == (RunStatus.COMPLETED_WITH_ERRORS, 1, 1)
    assert not run.staging.in_use()
    assert [event.action for event in list_events(run.site.engine, limit=5)] == ["closed", "triggered"]


@pytest.mark.parametrize(
    ("failed", "cancelled", "status"),
    [(("copy_media",), False, RunStatus.FAILED), ((), True, RunStatus.CANCELLED)],
)
def test_an_unsuccessful_run_gives_its_quota_back_and_keeps_its_staging_area(
    bench: Workbench, with_jobs: WithJobs, failed: tuple[str, ...], cancelled: bool, status: RunStatus
) -> None:
    bench.contacts([bench.call(1)])
    run = with_jobs()

    record = write_audit(run.site, run.record.run_id, failed, cancelled=cancelled)

    assert (record.status, used(bench)) == (status, 0)
    assert run.staging.in_use()


def test_a_follow_up_is_named_where_the_quota_left_a_rest_and_somebody_queues_it(
    bench: Workbench, with_jobs: WithJobs
) -> None:
    bench.write_settings(licence={"type": "standard", "daily_contacts": 1})
    bench.contacts([bench.call(1), bench.call(2)])
    run = with_jobs()
    publish(run)

    record = write_audit(run.site, run.record.run_id, follow_up=lambda closed: f"{closed.run_key}-rest")

    assert (record.status, record.follow_up_run_id) == (RunStatus.CONTINUED, f"{record.run_key}-rest")


def test_closing_twice_changes_nothing(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1)])
    run = with_jobs()
    publish(run)
    assert write_audit(run.site, run.record.run_id) == write_audit(run.site, run.record.run_id)


def test_a_run_without_a_record_is_unknown(bench: Workbench) -> None:
    with pytest.raises(DefinitionError, match="RUN_UNKNOWN"):
        write_audit(bench.site(), "cli/none")
