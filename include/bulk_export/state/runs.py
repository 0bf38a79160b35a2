"""Keep the record of each run.

Opened by its first stage, filled in as it goes, closed by the audit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, delete, select, tuple_, update

from bulk_export.errors import DefinitionError
from bulk_export.state.database import insert_missing, transaction
from bulk_export.state.exclusive_runs import claim_export, refuse_overtaken
from bulk_export.state.records import OPEN, UNSUCCESSFUL, NewRun, RunRecord, RunStatus, Trigger, run_key
from bulk_export.state.run_fields import declared_fields
from bulk_export.state.tables import publications, reservations, runs, stage_errors

_COUNTED = frozenset(field.name for field in declared_fields(RunRecord) if field.rules.counted)
# What a run that selected nothing yet takes anew when it is started again.
_REDEFINED = tuple(field.name for field in declared_fields(RunRecord) if field.rules.redefined)
_RESET = {field.name: field.default for field in declared_fields(RunRecord) if field.rules.reset}
# JSON columns have no default in the database.
_EMPTY: dict[str, Any] = {field.name: {} for field in declared_fields(RunRecord) if field.type is Mapping}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilters:
    """Which runs to list; every field that is given must fit.

    Attributes:
        export_id: runs of this export.
        statuses: runs with one of these; empty means any.
        triggered_by: runs this person started.
        queued_from: runs asked for at this moment or later.
        queued_before: runs asked for before this moment.
    """

    export_id: str | None = None
    statuses: frozenset[RunStatus] = frozenset()
    triggered_by: str | None = None
    queued_from: datetime | None = None
    queued_before: datetime | None = None


STILL_OPEN = RunFilters(statuses=OPEN)


def create_run(engine: Engine, new: NewRun, now: datetime, *, start: bool = True, exclusive: bool = False) -> RunRecord:
    """Open a run's record, or find the one its earlier attempt opened.

    The first snapshot, `queued_at` and `started_at` stay whatever `new` says later, except that a run which was queued
    or refused, or failed before it selected any contact, takes the definitions as they are now: they are those it
    begins with. A FAILED or CANCELLED run is RUNNING again, without its error. A run that ended well keeps its status
    until it is closed anew. A run that is not published begins another attempt.

    Args:
        engine: the state database.
        new: what is known of the run.
        now: aware time.
        start: False to record it as QUEUED; opening it again starts it.
        exclusive: no other run of its export may be under way that was opened so.

    Raises:
        RefusedError: RUN_ACTIVE, another one is under way; nothing is recorded.
        DefinitionError: NOTHING_LEFT, another one has delivered since this one selected; nothing is recorded.
    """
    row = _EMPTY | {field.name: getattr(new, field.name) for field in declared_fields(NewRun)}
    row |= {
        "run_key": run_key(new.run_id),
        "queued_at": new.queued_at or now,
        "status": RunStatus.RUNNING if start else RunStatus.QUEUED,
        "started_at": now if start else None,
        "attempt": 1 if start else 0,
    }
    with transaction(engine) as connection:
        if exclusive:
            claim_export(connection, new.export_id, new.run_id)
        if not insert_missing(connection, runs, row) and start:
            record = lock_run(connection, new.run_id)
            if exclusive:
                refuse_overtaken(connection, record)
            _start_again(connection, record, row, now)
            change_run(connection, new.run_id, {"process": new.process})
        return read_run(connection, new.run_id)


def _start_again(connection: Connection, record: RunRecord, row: Mapping[str, object], now: datetime) -> None:
    if not record.published:
        change_run(connection, record.run_id, {"attempt": record.attempt + 1})
        connection.execute(delete(publications).where(publications.c.run_id == record.run_id))
    if record.status in UNSUCCESSFUL | {RunStatus.QUEUED} or not record.definitions:
        defined = {name: row[name] for name in _REDEFINED} if record.matched is None else {}
        _reopen(connection, record, defined, now)


def _reopen(connection: Connection, record: RunRecord, defined: dict[str, object], now: datetime) -> None:
    connection.execute(delete(stage_errors).where(stage_errors.c.run_id == record.run_id))
    again: dict[str, object] = {"status": RunStatus.RUNNING, "started_at": record.started_at or now}
    connection.execute(update(runs).where(runs.c.run_id == record.run_id).values(again | _RESET | defined))


def reopen_run(engine: Engine, run_id: str, now: datetime, *, exclusive: bool = False) -> RunRecord:
    """Make a FAILED or CANCELLED run RUNNING again.

    Without its error; any other stays as it is. `exclusive` as in `create_run`.

    Raises:
        DefinitionError: RUN_UNKNOWN.
        RefusedError: RUN_ACTIVE.
    """
    with transaction(engine) as connection:
        record = lock_run(connection, run_id)
        if record.status in UNSUCCESSFUL:
            if exclusive:
                claim_export(connection, record.export_id, run_id)
                refuse_overtaken(connection, record)
            _reopen(connection, record, {}, now)
        return read_run(connection, run_id)


def get_run(engine: Engine, run_id: str) -> RunRecord:
    """The record of a run.

    Raises:
        DefinitionError: RUN_UNKNOWN.
    """
    with transaction(engine, reading=True) as connection:
        return read_run(connection, run_id)


def find_run(engine: Engine, name: str) -> RunRecord:
    """The record of a run, by its id or its key.

    The key is the ten digits that stand for it in directory names.

    Raises:
        DefinitionError: RUN_UNKNOWN.
    """
    with transaction(engine, reading=True) as connection:
        row = (
            connection.execute(SELECT_RUNS.where((runs.c.run_id == name) | (runs.c.run_key == name))).mappings().first()
        )
    if row is None:
        raise run_unknown(name)
    return run_record(row)


def list_runs(
    engine: Engine, filters: RunFilters | None = None, *, limit: int = 50, before: str | None = None
) -> list[RunRecord]:
    """Runs, newest first.

    Args:
        engine: the state database.
        filters: which; None means all.
        limit: at most so many.
        before: run id of the last run of the page before; runs opened meanwhile move nothing.

    Raises:
        DefinitionError: RUN_UNKNOWN when there is no run `before`.
    """
    statement = _filtered(SELECT_RUNS, filters or RunFilters())
    statement = statement.order_by(runs.c.queued_at.desc(), runs.c.run_id.desc()).limit(limit)
    with transaction(engine, reading=True) as connection:
        if before is not None:
            last = read_run(connection, before)
            position = tuple_(runs.c.queued_at, runs.c.run_id)
            statement = statement.where(position < tuple_(last.queued_at, last.run_id))
        return [run_record(row) for row in connection.execute(statement).mappings()]


def _filtered(statement: Select[Any], filters: RunFilters) -> Select[Any]:
    if filters.export_id is not None:
        statement = statement.where(runs.c.export_id == filters.export_id)
    if filters.statuses:
        statement = statement.where(runs.c.status.in_(sorted(filters.statuses)))
    if filters.triggered_by is not None:
        statement = statement.where(runs.c.triggered_by == filters.triggered_by)
    if filters.queued_from is not None:
        statement = statement.where(runs.c.queued_at >= filters.queued_from)
    if filters.queued_before is not None:
        statement = statement.where(runs.c.queued_at < filters.queued_before)
    return statement


def record_counts(engine: Engine, run_id: str, **counts: int | str | Mapping[str, int]) -> None:
    """Record what a stage found out.

    In any portions: what is not given stays. Repeating it changes nothing.

    Args:
        engine: the state database.
        run_id: the run.
        counts: fields of the record that are declared as counted.

    Raises:
        DefinitionError: RUN_UNKNOWN.
        TypeError: when a field is none that stages count.
    """
    check_counted(counts)
    with transaction(engine) as connection:
        change_run(connection, run_id, counts)


def check_counted(counts: Mapping[str, object]) -> None:
    """Raise `TypeError` for a field that is none that stages count."""
    if unknown := counts.keys() - _COUNTED:
        raise TypeError(f"stages do not count {', '.join(sorted(unknown))}")


def record_follow_up(engine: Engine, run_id: str, follow_up_run_id: str) -> None:
    """Write which run was queued for the rest of this one.

    Raises:
        DefinitionError: RUN_UNKNOWN.
    """
    with transaction(engine) as connection:
        change_run(connection, run_id, {"follow_up_run_id": follow_up_run_id})


def close_run(
    connection: Connection, record: RunRecord, status: RunStatus, *, quota_after: int | None, now: datetime
) -> None:
    """End a run within the caller's transaction.

    Ending it alike again keeps the first `ended_at`.

    `audit.close_audit` decides the status and is what stages call.
    """
    first = record.ended_at if record.status is status else None
    # What is still at work on a run that is closed is late.
    attempt = record.attempt + (record.status in OPEN)
    ended = {"status": status, "ended_at": first or now, "quota_after": quota_after, "attempt": attempt}
    change_run(connection, record.run_id, ended)


def read_run(connection: Connection, run_id: str) -> RunRecord:
    """`get_run` within a transaction."""
    row = connection.execute(SELECT_RUNS.where(runs.c.run_id == run_id)).mappings().one_or_none()
    if row is None:
        raise run_unknown(run_id)
    return run_record(row)


def lock_run(connection: Connection, run_id: str) -> RunRecord:
    """`read_run`, after waiting for every other transaction that changes the run."""
    connection.execute(select(runs.c.run_id).where(runs.c.run_id == run_id).with_for_update())
    return read_run(connection, run_id)


def change_run(connection: Connection, run_id: str, values: Mapping[str, object]) -> None:
    """Set columns of a run within the caller's transaction."""
    if values and connection.execute(update(runs).where(runs.c.run_id == run_id).values(values)).rowcount == 0:
        raise run_unknown(run_id)


def run_unknown(run_id: str) -> DefinitionError:
    """The error for a run that has no record."""
    return DefinitionError(
        "RUN_UNKNOWN", f"there is no run {run_id} in the audit", hint="`bulk-export audit list` shows the runs."
    )


SELECT_RUNS = select(
    runs,
    *(
        reservations.c[field.rules.reservation].label(field.name)
        for field in declared_fields(RunRecord)
        if field.rules.reservation
    ),
).select_from(runs.outerjoin(reservations, reservations.c.run_id == runs.c.run_id))


def run_record(row: Mapping[Any, Any]) -> RunRecord:
    """The record in a row of `SELECT_RUNS`."""
    return RunRecord(**{**row, "status": RunStatus(row["status"]), "trigger": Trigger(row["trigger"])})
