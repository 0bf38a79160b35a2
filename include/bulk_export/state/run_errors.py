"""Record what is wrong with a run, per stage and job.

A failure is recorded, a retry that succeeds clears it.

The record of the run shows the earliest failure that is still there, because later ones usually follow from it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Engine, delete, select

from bulk_export.errors import BulkExportError
from bulk_export.state.attempts import hold_attempt
from bulk_export.state.database import transaction, upsert
from bulk_export.state.runs import change_run
from bulk_export.state.tables import stage_errors

# A stage that is not divided into jobs is its job 0.
WHOLE_STAGE = 0


def record_error(
    engine: Engine,
    run_id: str,
    *,
    stage: str,
    error: BulkExportError,
    now: datetime,
    job: int = WHOLE_STAGE,
    attempt: int | None = None,
) -> None:
    """Record that a stage, or one job of it, failed.

    A later failure of the same replaces it.

    Raises:
        DefinitionError: RUN_UNKNOWN.
        LateAttemptError: the attempt has been overtaken, so that its error is not the run's.
    """
    with transaction(engine) as connection:
        hold_attempt(connection, run_id, attempt)
        put_error(connection, run_id, stage=stage, error=error, now=now, job=job)


def put_error(
    connection: Connection, run_id: str, *, stage: str, error: BulkExportError, now: datetime, job: int = WHOLE_STAGE
) -> None:
    """`record_error` within the caller's transaction, which has locked the run."""
    message = "\n".join([error.message, *map(str, error.problems)])
    key = {"run_id": run_id, "stage": stage, "job": job}
    found = {"code": error.code, "message": message, "hint": error.hint, "recorded_at": now}
    upsert(connection, stage_errors, [key | found])
    _show_first(connection, run_id)


def clear_error(engine: Engine, run_id: str, *, stage: str, job: int = WHOLE_STAGE, attempt: int | None = None) -> None:
    """Clear the error of a stage, or of one job of it.

    It has succeeded: what an earlier attempt recorded no longer counts.

    Raises:
        DefinitionError: RUN_UNKNOWN.
        LateAttemptError: the attempt has been overtaken.
    """
    with transaction(engine) as connection:
        hold_attempt(connection, run_id, attempt)
        c = stage_errors.c
        gone = delete(stage_errors).where(c.run_id == run_id, c.stage == stage, c.job == job)
        if connection.execute(gone).rowcount:
            _show_first(connection, run_id)


def forget_errors(connection: Connection, run_id: str) -> None:
    """Clear every error of a run, within the caller's transaction.

    All its stages succeeded in the end.
    """
    connection.execute(delete(stage_errors).where(stage_errors.c.run_id == run_id))
    _show_first(connection, run_id)


def _show_first(connection: Connection, run_id: str) -> None:
    c = stage_errors.c
    first = connection.execute(
        select(stage_errors).where(c.run_id == run_id).order_by(c.recorded_at, c.stage, c.job).limit(1)
    ).one_or_none()
    shown = {
        "error_code": first.code if first else "",
        "error_message": first.message if first else "",
        "error_hint": first.hint if first else "",
        "failed_stage": first.stage if first else "",
    }
    change_run(connection, run_id, shown)
