"""Keep how far each job of each stage is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from bulk_export.state.database import transaction, upsert
from bulk_export.state.tables import job_progress


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Progress of one job of one stage.

    Contacts done of all, bytes written, and when that was last known.
    """

    stage: str
    job: int
    done: int
    total: int
    bytes: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class StageProgress:
    """The same over all jobs of a stage."""

    stage: str
    done: int
    total: int
    bytes: int


def record_progress(
    engine: Engine, run_id: str, stage: str, job: int, *, done: int, total: int, bytes: int, now: datetime
) -> None:
    """Record how far a job is.

    Call it every few seconds or hundred contacts, not for each.
    """
    key = {"run_id": run_id, "stage": stage, "job": job}
    with transaction(engine) as connection:
        upsert(connection, job_progress, [key | {"done": done, "total": total, "bytes": bytes, "updated_at": now}])


def list_progress(engine: Engine, run_id: str) -> list[JobProgress]:
    """Every job of a run, by stage and number."""
    c = job_progress.c
    statement = select(c.stage, c.job, c.done, c.total, c.bytes, c.updated_at)
    statement = statement.where(c.run_id == run_id).order_by(c.stage, c.job)
    with transaction(engine, reading=True) as connection:
        return [JobProgress(*row) for row in connection.execute(statement)]


def stage_progress(engine: Engine, run_ids: Sequence[str]) -> dict[str, tuple[StageProgress, ...]]:
    """Per run the sums of its stages, in one query.

    Runs without progress have an empty tuple.
    """
    c = job_progress.c
    # SUM of a BIGINT is NUMERIC in PostgreSQL: the cast keeps whole numbers whole.
    sums = [func.sum(column).cast(column.type) for column in (c.done, c.total, c.bytes)]
    statement = select(c.run_id, c.stage, *sums).where(c.run_id.in_(run_ids)).group_by(c.run_id, c.stage)
    found: dict[str, tuple[StageProgress, ...]] = dict.fromkeys(run_ids, ())
    with transaction(engine, reading=True) as connection:
        for run_id, *rest in connection.execute(statement.order_by(c.run_id, c.stage)):
            found[run_id] += (StageProgress(*rest),)
    return found
