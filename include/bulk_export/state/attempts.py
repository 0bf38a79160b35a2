"""Number the attempts at a run, so that late ones are noticed.

A stage reads the number when it begins. Whoever finds another one later (stopped meanwhile, or cut off from Airflow)
has been overtaken: the run was begun again, published or closed.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, delete, select

from bulk_export.errors import LateAttemptError
from bulk_export.state.database import transaction
from bulk_export.state.records import RunRecord
from bulk_export.state.runs import change_run, lock_run, read_run, run_unknown
from bulk_export.state.tables import publications, runs


def next_attempt(engine: Engine, run_id: str, attempt: int) -> RunRecord:
    """Begin another attempt in place of this one.

    What this one was about to publish is void.

    Raises:
        LateAttemptError: it has been overtaken already.
    """
    with transaction(engine) as connection:
        record = lock_attempt(connection, run_id, attempt)
        change_run(connection, run_id, {"attempt": record.attempt + 1})
        connection.execute(delete(publications).where(publications.c.run_id == run_id))
        return read_run(connection, run_id)


def confirm_attempt(engine: Engine, run_id: str, attempt: int) -> None:
    """See that the attempt is still the one that counts.

    Raises:
        LateAttemptError: it has been overtaken.
    """
    with transaction(engine, reading=True) as connection:
        if connection.execute(select(runs.c.attempt).where(runs.c.run_id == run_id)).scalar() != attempt:
            raise late(run_id)


def hold_attempt(connection: Connection, run_id: str, attempt: int | None) -> None:
    """Lock a run for an attempt, without reading it.

    Raises:
        DefinitionError: RUN_UNKNOWN.
        LateAttemptError: it has been overtaken.
    """
    found = connection.execute(select(runs.c.attempt).where(runs.c.run_id == run_id).with_for_update()).scalar()
    if found is None:
        raise run_unknown(run_id)
    if attempt is not None and found != attempt:
        raise late(run_id)


def lock_attempt(connection: Connection, run_id: str, attempt: int | None) -> RunRecord:
    """`lock_run` for an attempt; None for whoever need not be one.

    Raises:
        LateAttemptError: it has been overtaken.
    """
    record = lock_run(connection, run_id)
    if attempt is not None and record.attempt != attempt:
        raise late(run_id)
    return record


def late(run_id: str) -> LateAttemptError:
    """The error of an attempt that has been overtaken."""
    return LateAttemptError(
        "INTERRUPTED",
        f"{run_id} was begun again, finished or closed by another attempt; this one has stopped and changes nothing",
        hint="`bulk-export audit show` says what became of the run.",
    )
