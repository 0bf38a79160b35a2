"""Granted contacts become jobs, oldest first; every other match is excluded with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from bulk_export.reasons import Reason
from bulk_export.stages.batch_contacts import batch_contacts
from bulk_export.staging.run_staging import EXCLUDED
from bulk_export.state.progress import list_progress

if TYPE_CHECKING:
    from workbench import Workbench

    from bulk_export.runs.open_run import OpenRun
    from conftest import WithJobs


def ids(run: OpenRun, job: int) -> list[int]:
    found: list[int] = run.staging.job(job, ["contact_id"])["contact_id"].to_pylist()
    return found


def excluded(run: OpenRun) -> dict[int, str]:
    table = run.staging.read_table(EXCLUDED)
    return dict(zip(table["contact_id"].to_pylist(), table["reason"].to_pylist(), strict=True))


def test_jobs_hold_the_contacts_oldest_first(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.write_settings(licence={"type": "performance", "job_contacts": 2})
    newest = {contact_id: bench.now - timedelta(hours=contact_id) for contact_id in (1, 2, 3)}
    bench.contacts([bench.call(contact_id, started_at=at) for contact_id, at in newest.items()])

    run = with_jobs()

    assert [ids(run, job) for job in run.staging.jobs()] == [[3, 2], [1]]
    assert excluded(run) == {}
    known = [one for one in list_progress(run.site.engine, run.record.run_id) if one.stage == "batch_contacts"]
    assert [(one.done, one.total) for one in known] == [(3, 3)]


def test_every_match_that_is_in_no_job_has_a_reason(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.write_settings(licence={"type": "standard", "daily_contacts": 2})
    bench.contacts([bench.call(contact_id) for contact_id in (1, 2, 3, 4)])

    run = with_jobs(parameters={"limit": 3})

    assert ids(run, 1) == [1, 2]
    assert excluded(run) == {3: Reason.QUOTA_EXCEEDED, 4: Reason.LIMIT}


def test_a_contact_that_left_the_store_is_excluded_as_gone(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in (1, 2)])
    run = with_jobs()
    run.staging.forget_jobs()
    bench.contacts([bench.call(1)])

    assert batch_contacts(bench.site(), run.record.run_id) == [1]

    assert (ids(run, 1), excluded(run)) == ([1], {2: Reason.CONTACT_GONE})


def test_a_retry_leaves_the_jobs_as_they_are(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1, agent_name="before")])
    run = with_jobs()
    before = run.staging.job(1)
    bench.contacts([bench.call(1, agent_name="after")])

    assert batch_contacts(bench.site(), run.record.run_id) == [1]

    assert run.staging.job(1).equals(before)


def test_a_dry_run_has_no_jobs(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1)])
    run = with_jobs(parameters={"dry_run": True})
    assert batch_contacts(replace(run.site), run.record.run_id) == []
