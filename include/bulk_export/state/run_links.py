"""Query the runs that continue or retry a run."""

from __future__ import annotations

from sqlalchemy import Engine, exists, select

from bulk_export.state.database import transaction
from bulk_export.state.records import RunRecord, RunStatus, run_key
from bulk_export.state.runs import SELECT_RUNS, run_record
from bulk_export.state.tables import runs


def running_continuations(engine: Engine, run_id: str) -> list[str]:
    """Ids of the runs that are exporting this run's rest.

    The rest is what its quota did not reach.
    """
    named = runs.c.continues_run_id.in_((run_id, run_key(run_id)))  # as whoever started them has typed it
    mine = named & (runs.c.status == RunStatus.RUNNING)
    with transaction(engine, reading=True) as connection:
        return list(connection.execute(select(runs.c.run_id).where(mine)).scalars())


def is_continued(engine: Engine, run_id: str) -> bool:
    """Whether another run has published this run's rest."""
    c = runs.c
    mine = exists().where(c.continues_run_id.in_((run_id, run_key(run_id))), c.manifest_sha256 != "")
    with transaction(engine, reading=True) as connection:
        return bool(connection.execute(select(mine)).scalar())


def list_without_follow_up(engine: Engine, *, limit: int = 1_000) -> list[RunRecord]:
    """Runs whose follow-up run has no record, newest first.

    It waits in Airflow, or was lost.
    """
    c, follow_up = runs.c, runs.alias()
    statement = SELECT_RUNS.where(
        c.status == RunStatus.CONTINUED,
        c.dag_id != "",
        c.follow_up_run_id != "",
        ~exists().where(follow_up.c.run_id == c.follow_up_run_id),
    )
    statement = statement.order_by(c.queued_at.desc(), c.run_id.desc()).limit(limit)
    with transaction(engine, reading=True) as connection:
        return [run_record(row) for row in connection.execute(statement).mappings()]


def list_retries(engine: Engine, record: RunRecord, *, parameter: str, limit: int) -> list[str]:
    """Keys of the runs that retried this one, newest first.

    Args:
        engine: the state database.
        record: the run that failed in part.
        parameter: the run parameter that names the run to retry, by its id or key.
        limit: at most so many.
    """
    c = runs.c
    statement = select(c.run_key).where(
        c.export_id == record.export_id,
        c.queued_at >= record.queued_at,
        c.parameters[parameter].as_string().in_([record.run_id, record.run_key]),
    )
    with transaction(engine, reading=True) as connection:
        return list(connection.scalars(statement.order_by(c.queued_at.desc()).limit(limit)))
