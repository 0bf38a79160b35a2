"""Runs that continue or retry a run are found by its id or its key."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from bulk_export.runs.links import linked_runs
from bulk_export.state.database import transaction
from bulk_export.state.records import RunStatus, run_key
from bulk_export.state.run_links import list_retries, running_continuations
from bulk_export.state.runs import close_run, create_run, lock_run, record_counts

T0 = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
FIRST = "export-weekly/first"


def failed_in_part(state: Engine, make_run: Any) -> Any:
    create_run(state, make_run(FIRST), T0)
    record_counts(state, FIRST, by_status={"faulty": 2, "delivered": 5})
    with transaction(state) as connection:
        record = lock_run(connection, FIRST)
        close_run(connection, record, RunStatus.COMPLETED_WITH_ERRORS, quota_after=None, now=T0)
        return lock_run(connection, FIRST)


def retry(state: Engine, make_run: Any, run_id: str, of: str, minutes: int) -> str:
    new = make_run(run_id, parameters={"retry_failed_of": of}, queued_at=T0 + timedelta(minutes=minutes))
    create_run(state, new, T0 + timedelta(minutes=minutes))
    return run_key(run_id)


def test_retries_are_found_newest_first_however_they_name_the_run(state: Engine, make_run: Any) -> None:
    record = failed_in_part(state, make_run)
    by_id = retry(state, make_run, "export-weekly/by-id", FIRST, 1)
    by_key = retry(state, make_run, "export-weekly/by-key", record.run_key, 2)
    retry(state, make_run, "export-weekly/other", "export-weekly/another", 3)

    assert list_retries(state, record, parameter="retry_failed_of", limit=10) == [by_key, by_id]
    assert list_retries(state, record, parameter="retry_failed_of", limit=1) == [by_key]
    assert linked_runs(state, record) == {"retried": [by_key, by_id]}


def test_a_link_to_a_run_without_a_record_has_no_key(state: Engine, make_run: Any) -> None:
    record = create_run(state, make_run(FIRST, continues_run_id="export-weekly/gone"), T0)
    assert linked_runs(state, record) == {"continues": [""]}


def test_a_continuation_counts_while_it_runs(state: Engine, make_run: Any) -> None:
    create_run(state, make_run(FIRST), T0)
    create_run(state, make_run("export-weekly/rest", continues_run_id=run_key(FIRST)), T0)
    create_run(state, make_run("export-weekly/queued", continues_run_id=FIRST), T0, start=False)
    assert running_continuations(state, FIRST) == ["export-weekly/rest"]
