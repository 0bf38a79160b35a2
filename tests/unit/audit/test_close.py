from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from bulk_export.audit.close import close_audit
from bulk_export.errors import DefinitionError, RefusedError, TransientError
from bulk_export.state.publications import record_published
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.reservations import Grant, Usage, reserve, usage
from bulk_export.state.run_errors import clear_error, record_error
from bulk_export.state.runs import create_run, get_run, record_counts, record_follow_up

T0 = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
LATER = T0 + timedelta(hours=1)
TODAY = date(2026, 11, 23)
TOMORROW = date(2026, 11, 24)
RUN = "export-weekly/scheduled__2026-11-23"


def start(state: Engine, make_run, *, matched: int = 10, limit: int = 100, day: date = TODAY) -> Grant:
    """The first two stages of a run."""
    create_run(state, make_run(RUN), T0)
    record_counts(state, RUN, matched=matched)
    return reserve(
        state,
        run_id=RUN,
        environment="acme",
        day=day,
        wanted=matched,
        daily_limit=limit,
        policy="continue",
        now=T0,
    )


def publish(state: Engine, *, exported: int, faulty: int = 0) -> None:
    by_status = {"delivered": exported, "faulty": faulty}
    record_counts(state, RUN, exported=exported, by_status=by_status)
    record_published(state, RUN, manifest_sha256="ab" * 32, now=T0)


def close(state: Engine, failed_stage: str | None = None, *, cancelled: bool = False, now: datetime = T0) -> RunRecord:
    return close_audit(state, RUN, failed_stage=failed_stage, cancelled=cancelled, now=now)


def lost() -> TransientError:
    return TransientError("STORAGE_UNREACHABLE", "the bucket did not answer", hint="Check the bucket.")


def test_a_run_that_delivered_everything_is_completed_and_charged(state: Engine, make_run) -> None:
    start(state, make_run)
    publish(state, exported=10)
    record = close(state)
    assert (record.status, record.ended_at, record.error_code) == (RunStatus.COMPLETED, T0, "")
    assert (record.granted, record.quota_before, record.quota_used, record.quota_after) == (10, 0, 10, 10)
    assert (record.quota_day, record.quota_limit) == (TODAY, 100)
    assert record == get_run(state, RUN)


def test_faulty_contacts_are_not_charged_and_show_in_the_status(state: Engine, make_run) -> None:
    start(state, make_run)
    publish(state, exported=8, faulty=2)
    record = close(state)
    assert (record.status, record.quota_used) == (RunStatus.COMPLETED_WITH_ERRORS, 8)
    assert usage(state, "acme", TODAY) == Usage(used=8, held=0)


def test_a_run_without_matches_is_completed_empty(state: Engine, make_run) -> None:
    start(state, make_run, matched=0)
    record = close(state)
    assert (record.status, record.quota_used) == (RunStatus.COMPLETED_EMPTY, 0)


def test_a_run_with_a_follow_up_is_continued(state: Engine, make_run) -> None:
    assert start(state, make_run, matched=150).granted == 100
    publish(state, exported=100)
    record_follow_up(state, RUN, "export-weekly/continuation")
    record = close(state)
    assert (record.status, record.quota_used) == (RunStatus.CONTINUED, 100)


def test_a_run_that_was_granted_nothing_is_continued_without_a_directory(state: Engine, make_run) -> None:
    assert start(state, make_run, limit=0).granted == 0
    record_follow_up(state, RUN, "export-weekly/continuation")
    assert close(state).status is RunStatus.CONTINUED


def test_a_dry_run_is_completed_without_a_reservation(state: Engine, make_run) -> None:
    create_run(state, make_run(RUN), T0)
    record_counts(state, RUN, matched=10, dry_run_report='{"matched": 10}')
    record = close(state)
    assert (record.status, record.granted, record.quota_day, record.quota_after) == (
        RunStatus.COMPLETED,
        None,
        None,
        None,
    )


def test_a_failed_run_keeps_its_error_and_gives_its_quota_back(state: Engine, make_run) -> None:
    start(state, make_run)
    record_error(state, RUN, stage="copy_media", job=2, error=lost(), now=T0)
    record = close(state, "copy_media")
    assert (record.status, record.error_code, record.failed_stage) == (
        RunStatus.FAILED,
        "STORAGE_UNREACHABLE",
        "copy_media",
    )
    assert (record.quota_used, record.quota_after) == (0, 0)
    assert usage(state, "acme", TODAY) == Usage(0, 0)


def test_a_refused_run_is_failed_with_the_refusal(state: Engine, make_run) -> None:
    create_run(state, make_run(RUN), T0)
    refusal = RefusedError("QUOTA_EXCEEDED", "10 contacts match, 0 are left", hint="Tomorrow.")
    record_error(state, RUN, stage="check_quota", error=refusal, now=T0)
    record = close(state, "check_quota")
    assert (record.status, record.error_code, record.error_hint) == (RunStatus.FAILED, "QUOTA_EXCEEDED", "Tomorrow.")


def test_a_stage_that_died_silently_is_interrupted(state: Engine, make_run) -> None:
    start(state, make_run)
    record = close(state, "export_transcripts")
    assert (record.status, record.error_code, record.failed_stage) == (
        RunStatus.FAILED,
        "INTERRUPTED",
        "export_transcripts",
    )
    assert record.error_message.startswith("export_transcripts stopped without saying why")


def test_a_run_that_vanished_before_publishing_is_interrupted_even_if_no_stage_failed(state: Engine, make_run) -> None:
    start(state, make_run)
    record = close(state, None)
    assert (record.status, record.error_code, record.quota_used) == (RunStatus.FAILED, "INTERRUPTED", 0)


def test_a_retry_that_went_well_ends_completed_without_an_error(state: Engine, make_run) -> None:
    start(state, make_run)
    record_error(state, RUN, stage="copy_media", job=1, error=lost(), now=T0)
    clear_error(state, RUN, stage="copy_media", job=1)
    publish(state, exported=10)
    record = close(state)
    assert (record.status, record.error_code, record.failed_stage) == (RunStatus.COMPLETED, "", "")


def test_an_error_nobody_cleared_does_not_outlive_a_finished_run(state: Engine, make_run) -> None:
    start(state, make_run)
    record_error(state, RUN, stage="copy_media", job=1, error=lost(), now=T0)  # its retry was killed after its work
    publish(state, exported=10)
    assert close(state).error_code == ""


def test_a_published_run_is_charged_even_if_a_later_stage_failed(state: Engine, make_run) -> None:
    start(state, make_run)
    publish(state, exported=9, faulty=1)
    record_error(state, RUN, stage="publish_manifest", error=lost(), now=T0)
    record = close(state, "publish_manifest")
    assert (record.status, record.quota_used) == (RunStatus.FAILED, 9)


def test_a_cancelled_run_gives_its_quota_back(state: Engine, make_run) -> None:
    start(state, make_run)
    record = close(state, "copy_media", cancelled=True)
    assert (record.status, record.quota_used, record.error_code) == (RunStatus.CANCELLED, 0, "")


@pytest.mark.parametrize("failed_stage", [None, "build_csv"])
def test_closing_again_changes_nothing(state: Engine, make_run, failed_stage: str | None) -> None:
    start(state, make_run)
    publish(state, exported=8, faulty=2)
    first = close(state, failed_stage)
    assert close(state, failed_stage, now=LATER) == first


def test_a_failed_run_that_is_run_again_the_next_day_is_charged_to_that_day(state: Engine, make_run) -> None:
    start(state, make_run)
    close(state, "copy_media")
    assert start(state, make_run, day=TOMORROW).day == TOMORROW
    publish(state, exported=10)
    record = close(state, now=LATER)
    assert (record.status, record.error_code, record.ended_at) == (RunStatus.COMPLETED, "", LATER)
    assert (record.quota_day, record.quota_used, record.quota_after) == (TOMORROW, 10, 10)
    assert usage(state, "acme", TODAY) == Usage(0, 0)


def test_a_published_run_that_is_cleared_is_charged_its_new_figure_on_its_old_day(state: Engine, make_run) -> None:
    first = start(state, make_run)
    publish(state, exported=8, faulty=2)
    close(state)
    assert start(state, make_run, day=TOMORROW) == first
    publish(state, exported=10)
    record = close(state, now=LATER)
    assert (record.status, record.ended_at, record.quota_used) == (RunStatus.COMPLETED, LATER, 10)
    assert usage(state, "acme", TODAY) == Usage(used=10, held=0)
    assert usage(state, "acme", TOMORROW) == Usage(0, 0)


def test_a_run_declared_dead_that_finishes_after_all_ends_completed_and_charged(state: Engine, make_run) -> None:
    start(state, make_run)
    assert close(state, "copy_media").error_code == "INTERRUPTED"
    publish(state, exported=10)
    record = close(state, now=LATER)
    assert (record.status, record.error_code, record.quota_used) == (RunStatus.COMPLETED, "", 10)


def test_counts_beyond_the_grant_still_let_the_run_be_closed(state: Engine, make_run) -> None:
    start(state, make_run)
    publish(state, exported=11)
    assert close(state).quota_used == 10


def test_closing_a_run_nobody_opened_is_refused(state: Engine) -> None:
    with pytest.raises(DefinitionError, match="RUN_UNKNOWN"):
        close(state, "validate_filters")
