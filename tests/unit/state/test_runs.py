from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine

from bulk_export.errors import DefinitionError, Problem, TransientError
from bulk_export.state.database import transaction
from bulk_export.state.publications import record_published
from bulk_export.state.records import NewRun, RunRecord, RunStatus, Trigger, run_key
from bulk_export.state.run_errors import clear_error, record_error
from bulk_export.state.runs import (
    STILL_OPEN,
    RunFilters,
    close_run,
    create_run,
    get_run,
    list_runs,
    lock_run,
    record_counts,
    record_follow_up,
)

T0 = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
LATER = T0 + timedelta(hours=1)


def close(state: Engine, run_id: str, status: RunStatus, now: datetime = T0) -> None:
    with transaction(state) as connection:
        close_run(connection, lock_run(connection, run_id), status, quota_after=None, now=now)


def lost(words: str = "the bucket did not answer") -> TransientError:
    return TransientError("STORAGE_UNREACHABLE", words, hint="Check the bucket.")


def test_a_run_key_is_ten_hex_digits_of_the_run_ids_sha256() -> None:
    assert run_key("cli/1") == hashlib.sha256(b"cli/1").hexdigest()[:10]


def test_an_opened_run_reads_back_as_it_was_given(state: Engine, make_run) -> None:
    new: NewRun = make_run(
        trigger=Trigger.MANUAL,
        triggered_by="ana",
        window_from=T0 - timedelta(days=7),
        window_to=T0,
        parameters={"limit": 5, "name": "ñandú", "dry_run": True, "ratio": 0.5, "search": None},
        dag_id="export-weekly",
        dag_run_id="manual__1",
        dag_run_url="https://airflow/dags/export-weekly/runs/manual__1",
        continues_run_id="export-weekly/earlier",
        queued_at=T0 - timedelta(minutes=1),
    )
    record = create_run(state, new, T0)
    assert record == get_run(state, new.run_id)
    for name in NewRun.__dataclass_fields__:
        assert getattr(record, name) == getattr(new, name), name
    assert (record.status, record.started_at, record.ended_at) == (RunStatus.RUNNING, T0, None)
    assert (record.matched, record.granted, record.exported, record.by_reason) == (None, None, 0, {})


def test_moments_come_back_aware_in_utc_from_any_zone(state: Engine, make_run) -> None:
    bogota = timezone(timedelta(hours=-5))
    record = create_run(state, make_run(as_of=datetime(2026, 11, 23, 2, 30, 0, 123456, tzinfo=bogota)), T0)
    assert record.as_of == datetime(2026, 11, 23, 7, 30, 0, 123456, tzinfo=UTC)
    assert record.as_of.tzinfo is UTC


def test_a_naive_moment_is_refused(state: Engine, make_run) -> None:
    with pytest.raises(Exception, match="aware datetimes only"):
        create_run(state, make_run(as_of=datetime(2026, 11, 23)), T0)


def test_a_retry_finds_the_first_snapshot_and_start(state: Engine, make_run) -> None:
    first = create_run(state, make_run(), T0)
    record_counts(state, first.run_id, matched=12)
    again = create_run(state, make_run(definitions='{"search": {"id": "edited"}}', directory="elsewhere"), LATER)
    assert again.definitions == first.definitions
    assert (again.directory, again.queued_at, again.started_at) == (first.directory, T0, T0)
    assert again.matched == 12


def test_a_queued_run_starts_when_it_is_opened_again(state: Engine, make_run) -> None:
    queued = create_run(state, make_run(), T0, start=False)
    assert (queued.status, queued.started_at) == (RunStatus.QUEUED, None)
    assert create_run(state, make_run(), LATER, start=False) == queued
    started = create_run(state, make_run(), LATER)
    assert (started.status, started.queued_at, started.started_at) == (RunStatus.RUNNING, T0, LATER)


def test_a_queued_run_starts_with_the_definitions_of_that_moment(state: Engine, make_run) -> None:
    create_run(state, make_run(directory=""), T0, start=False)
    started = create_run(state, make_run(definitions='{"search": {"id": "edited"}}', licence="performance"), LATER)
    assert (started.definitions, started.licence) == ('{"search": {"id": "edited"}}', "performance")
    assert started.directory == make_run().directory


@pytest.mark.parametrize("status", [RunStatus.FAILED, RunStatus.CANCELLED])
def test_a_run_that_did_not_succeed_reopens_without_its_error(state: Engine, make_run, status: RunStatus) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    record_error(state, run_id, stage="copy_media", job=3, error=lost(), now=T0)
    close(state, run_id, status)
    again = create_run(state, make_run(), LATER)
    assert (again.status, again.started_at, again.ended_at) == (RunStatus.RUNNING, T0, None)
    assert (again.error_code, again.error_message, again.error_hint, again.failed_stage) == ("", "", "", "")
    clear_error(state, run_id, stage="copy_media", job=1)
    assert get_run(state, run_id).error_code == ""


@pytest.mark.parametrize(
    "status",
    [RunStatus.COMPLETED, RunStatus.COMPLETED_WITH_ERRORS, RunStatus.COMPLETED_EMPTY, RunStatus.CONTINUED],
)
def test_a_run_that_ended_well_keeps_its_end_when_cleared(state: Engine, make_run, status: RunStatus) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    close(state, run_id, status)
    again = create_run(state, make_run(), LATER)
    assert (again.status, again.ended_at) == (status, T0)


def test_counts_come_in_portions(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    record_counts(state, run_id, matched=10, roots=2)
    record_counts(state, run_id, by_status={"delivered": 9, "faulty": 1}, by_reason={"MEDIA_CORRUPT": 1})
    record_counts(state, run_id)
    record = get_run(state, run_id)
    assert (record.matched, record.roots, record.by_status) == (10, 2, {"delivered": 9, "faulty": 1})
    assert record.by_reason == {"MEDIA_CORRUPT": 1}


def test_publishing_keeps_its_first_time_and_the_counts(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    record_counts(state, run_id, exported=7, media_bytes=2**40)
    record_published(state, run_id, manifest_sha256="ab" * 32, now=T0)
    record_counts(state, run_id, exported=8)
    record_published(state, run_id, manifest_sha256="cd" * 32, now=LATER)
    record = get_run(state, run_id)
    assert (record.manifest_sha256, record.published_at, record.exported) == ("cd" * 32, T0, 8)
    assert (record.media_bytes, record.published) == (2**40, True)


def test_a_field_that_stages_do_not_count_is_refused(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    with pytest.raises(TypeError, match="stages do not count status"):
        record_counts(state, run_id, status="COMPLETED")


def test_a_follow_up_is_named(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    record_follow_up(state, run_id, "export-weekly/continuation__2")
    assert get_run(state, run_id).follow_up_run_id == "export-weekly/continuation__2"


def test_an_unknown_run_is_named_by_every_function(state: Engine) -> None:
    calls = (
        lambda: get_run(state, "no/run"),
        lambda: record_counts(state, "no/run", matched=1),
        lambda: record_published(state, "no/run", manifest_sha256="ab", now=T0),
        lambda: record_follow_up(state, "no/run", "x"),
        lambda: record_error(state, "no/run", stage="build_csv", error=lost(), now=T0),
        lambda: clear_error(state, "no/run", stage="build_csv"),
        lambda: list_runs(state, before="no/run"),
    )
    for call in calls:
        with pytest.raises(DefinitionError, match="RUN_UNKNOWN: there is no run no/run"):
            call()


# --- errors and retries ------------------------------------------------------------------------------------------


def test_a_stage_that_succeeds_at_its_retry_leaves_no_error(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    record_error(state, run_id, stage="copy_media", job=1, error=lost(), now=T0)
    failed = get_run(state, run_id)
    assert (failed.error_code, failed.failed_stage, failed.status) == (
        "STORAGE_UNREACHABLE",
        "copy_media",
        RunStatus.RUNNING,
    )
    assert (failed.error_message, failed.error_hint) == ("the bucket did not answer", "Check the bucket.")
    clear_error(state, run_id, stage="copy_media", job=1)
    assert (get_run(state, run_id).error_code, get_run(state, run_id).failed_stage) == ("", "")


def test_the_retry_of_one_job_does_not_hide_the_failure_of_another(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    record_error(state, run_id, stage="copy_media", job=1, error=lost("first"), now=T0)
    record_error(state, run_id, stage="copy_media", job=2, error=lost("second"), now=LATER)
    assert get_run(state, run_id).error_message == "first"
    clear_error(state, run_id, stage="copy_media", job=1)
    assert get_run(state, run_id).error_message == "second"


def test_the_second_attempt_of_a_stage_replaces_its_first_error(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    record_error(state, run_id, stage="build_csv", error=lost("first"), now=T0)
    record_error(state, run_id, stage="build_csv", error=lost("second"), now=LATER)
    assert get_run(state, run_id).error_message == "second"


def test_every_problem_of_an_error_is_recorded(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    problems = [Problem("searches/r.yaml", 4, f"filters[{i}]", "value is missing") for i in range(2)]
    error = DefinitionError("FILTER_INCOMPLETE", "2 filters are incomplete", problems=problems)
    record_error(state, run_id, stage="validate_filters", error=error, now=T0)
    assert get_run(state, run_id).error_message.splitlines() == [
        "2 filters are incomplete",
        "searches/r.yaml:4 filters[0]: value is missing",
        "searches/r.yaml:4 filters[1]: value is missing",
    ]


# --- lists -------------------------------------------------------------------------------------------------------


def ids(records: list[RunRecord]) -> list[str]:
    return [record.run_id for record in records]


def test_runs_are_listed_newest_first_in_pages_that_new_runs_do_not_shift(state: Engine, make_run) -> None:
    for number in range(5):  # runs 1 and 2 were asked for in the same instant
        create_run(state, make_run(f"r/{number}"), T0 + timedelta(minutes=min(number, 1) if number < 3 else number))
    first = ids(list_runs(state, limit=2))
    assert first == ["r/4", "r/3"]
    create_run(state, make_run("r/newer"), LATER)
    second = ids(list_runs(state, limit=2, before=first[-1]))
    assert second == ["r/2", "r/1"]
    assert ids(list_runs(state, limit=2, before=second[-1])) == ["r/0"]
    assert list_runs(state, before="r/0") == []


def test_runs_are_filtered_by_every_field(state: Engine, make_run) -> None:
    create_run(state, make_run("a", export_id="monthly"), T0)
    create_run(state, make_run("b", triggered_by="ana"), T0 + timedelta(days=1))
    create_run(state, make_run("c"), T0 + timedelta(days=2))
    create_run(state, make_run("d"), T0 + timedelta(days=3), start=False)
    close(state, "c", RunStatus.FAILED)
    day_1 = T0 + timedelta(days=1)
    assert ids(list_runs(state, RunFilters(export_id="monthly"))) == ["a"]
    assert ids(list_runs(state, RunFilters(triggered_by="ana"))) == ["b"]
    assert ids(list_runs(state, RunFilters(statuses=frozenset({RunStatus.FAILED, RunStatus.QUEUED})))) == ["d", "c"]
    assert ids(list_runs(state, STILL_OPEN)) == ["d", "b", "a"]
    assert ids(list_runs(state, RunFilters(queued_from=day_1, queued_before=day_1 + timedelta(days=1)))) == ["b"]
    assert list_runs(state, RunFilters(export_id="monthly", triggered_by="ana")) == []
