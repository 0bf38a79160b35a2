"""Runs of which somebody clears some tasks, on whatever day: they converge, and take no quota twice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from workbench import Workbench, read_csv

from bulk_export.errors import RefusedError, TransientError
from bulk_export.pipeline import publish_manifest, run_export, validate_filters, write_audit
from bulk_export.runs.selection import freeze_keys, reserve_quota
from bulk_export.stages.stage import load_run
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.reservations import usage


@pytest.fixture
def limited(bench: Workbench) -> Workbench:
    """Six matches under a licence for ten a day."""
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 7)])
    bench.write_settings(licence={"type": "standard", "daily_contacts": 10, "job_contacts": 3})
    bench.export()
    return bench


def failed_at_publishing(bench: Workbench, run_id: str = "dag/1") -> RunRecord:
    bench.up_to_publishing(bench.request(run_id=run_id))
    return write_audit(bench.site(), run_id, ("publish_manifest",))


def used(bench: Workbench) -> int:
    return usage(bench.site().engine, "acme", bench.now.date()).used


def test_clearing_only_what_failed_takes_the_quota_again(limited: Workbench) -> None:
    assert (failed_at_publishing(limited).quota_used, used(limited)) == (0, 0)

    publish_manifest(limited.site(), "dag/1")

    assert limited.site().reread("dag/1").status is RunStatus.RUNNING
    assert used(limited) == 6
    record = write_audit(limited.site(), "dag/1")
    assert (record.status, record.quota_used, record.error_code) == (RunStatus.COMPLETED, 6, "")


def test_clearing_only_what_failed_is_refused_when_others_have_taken_the_quota(limited: Workbench) -> None:
    failed_at_publishing(limited)
    assert limited.run(run_id="dag/2").quota_used == 6

    with pytest.raises(RefusedError, match=r"GRANT_CHANGED.*granted 6 contacts .* now 4"):
        publish_manifest(limited.site(), "dag/1")

    record = write_audit(limited.site(), "dag/1", ("publish_manifest",))
    assert (record.status, record.error_code, used(limited)) == (RunStatus.FAILED, "GRANT_CHANGED", 6)


def test_a_cleared_task_that_is_tried_again_holds_quota_before_it_delivers(limited: Workbench) -> None:
    failed_at_publishing(limited)
    limited.run(run_id="dag/2")
    for _ in range(2):
        with pytest.raises(RefusedError, match="GRANT_CHANGED"):
            publish_manifest(limited.site(), "dag/1")

    assert not limited.site().reread("dag/1").published


def test_a_task_that_outlives_the_closing_of_its_run_holds_no_quota(limited: Workbench) -> None:
    run = load_run(limited.site(), validate_filters(limited.site(), limited.request(run_id="dag/1")))
    matched = freeze_keys(run)
    write_audit(limited.site(), "dag/1", ("check_quota",), cancelled=True)

    with pytest.raises(TransientError, match="INTERRUPTED"):
        reserve_quota(run, matched)

    record = limited.site().reread("dag/1")
    assert (record.status, record.granted, used(limited)) == (RunStatus.CANCELLED, None, 0)


def test_a_run_cleared_on_a_day_with_more_quota_is_cut_anew_and_whole(limited: Workbench) -> None:
    limited.run(run_id="dag/other")
    failed = failed_at_publishing(limited)
    assert len(read_csv(limited.directory(failed) / "data/contacts.csv")) == 4
    limited.now += timedelta(days=1)

    record = run_export(limited.site(), limited.request(run_id="dag/1"))

    assert (record.status, record.exported) == (RunStatus.COMPLETED, 6)
    assert len(read_csv(limited.directory(record) / "data/contacts.csv")) == 6


def test_the_rest_of_an_earlier_attempt_is_forgotten_when_the_quota_reaches_all(limited: Workbench) -> None:
    limited.run(run_id="dag/other")
    limited.up_to_publishing(limited.request(run_id="dag/1"))
    (limited.directory(limited.site().reread("dag/1")) / "data/contacts.csv").unlink()
    with pytest.raises(TransientError, match="FILES_MISSING"):
        publish_manifest(limited.site(), "dag/1")  # the rest is kept by now
    write_audit(limited.site(), "dag/1", ("publish_manifest",))
    limited.now += timedelta(days=1)

    run_export(limited.site(), limited.request(run_id="dag/1"))

    assert [path.name for path in (limited.root / "staging").rglob("*") if path.is_file()] == []


def test_what_was_delivered_and_is_gone_is_delivered_again_before_anything_is_published(limited: Workbench) -> None:
    directory = limited.directory(failed_at_publishing(limited))
    gone = [directory / f"data/{name}" for name in ("media/0001/2.wav", "transcripts/0002/5.json", "contacts.csv")]
    contents = [path.read_bytes() for path in gone]
    for path in gone:
        path.unlink()

    with pytest.raises(TransientError, match=r"FILES_MISSING.*3 files"):
        publish_manifest(limited.site(), "dag/1")
    assert not (directory / "tagmanifest-sha256.txt").exists()

    limited.up_to_publishing(limited.request(run_id="dag/1"))
    publish_manifest(limited.site(), "dag/1")
    assert [path.read_bytes() for path in gone] == contents


def test_a_rest_is_exported_by_one_run_at_a_time_and_by_its_own_export(limited: Workbench) -> None:
    limited.export("other")
    limited.write_settings(licence={"type": "standard", "daily_contacts": 4, "job_contacts": 3})
    limited.run(run_id="dag/1")
    limited.now += timedelta(days=1)
    validate_filters(limited.site(), limited.request(run_id="dag/1+", continues_run_id="dag/1"))

    second = limited.run(run_id="cli/2", continues_run_id="dag/1")
    foreign = limited.run("other", run_id="cli/3", continues_run_id="dag/1")

    assert [record.error_code for record in (second, foreign)] == ["NOTHING_LEFT"] * 2
    assert "continued by the run dag/1+" in second.error_message
    assert "a run of the export 'nightly'" in foreign.error_message
