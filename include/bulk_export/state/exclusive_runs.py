"""Let one run at a time deliver for an incremental export.

Two would select the same contacts, and deliver them twice. The claim of a run holds as long as its record is RUNNING:
closing the record, whoever does it, ends it.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from bulk_export.errors import DefinitionError, RefusedError
from bulk_export.state.database import insert_missing
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.tables import exclusive_runs, runs


def claim_export(connection: Connection, export_id: str, run_id: str) -> None:
    """Make a run the one that delivers for its export.

    Within the transaction that makes it RUNNING, so that of two at once one waits for the other and sees it.

    Raises:
        RefusedError: RUN_ACTIVE, another one is under way.
    """
    insert_missing(connection, exclusive_runs, {"export_id": export_id, "run_id": run_id})
    of_export = exclusive_runs.c.export_id == export_id
    claim = select(exclusive_runs.c.run_id).where(of_export).with_for_update()
    holder = connection.execute(claim).scalar_one()
    if holder == run_id:
        return
    other = connection.execute(select(runs).where(runs.c.run_id == holder)).mappings().one_or_none()
    if other is None or other["status"] != RunStatus.RUNNING:
        connection.execute(update(exclusive_runs).where(of_export).values(run_id=run_id))
        return
    who = f" by {other['triggered_by']}" if other["triggered_by"] else ""
    place = f"DAG run {other['dag_run_id']}" if other["dag_run_id"] else "the command line"
    raise RefusedError(
        "RUN_ACTIVE",
        f"the incremental export '{export_id}' is being run already: run {other['run_key']}, started{who} through "
        f"{place} at {other['started_at']:%Y-%m-%d %H:%M:%S} UTC; two at once would deliver contacts twice",
        hint=f"Wait until it has ended. `bulk-export audit show {other['run_key']}` says how far it is, "
        f"`bulk-export audit close {other['run_key']}` closes one that was killed.",
    )


def refuse_overtaken(connection: Connection, record: RunRecord) -> None:
    """Refuse to go on with a run that is overtaken.

    A later one has delivered since it selected its contacts.

    Raises:
        DefinitionError: NOTHING_LEFT.
    """
    if record.published or record.matched is None or record.started_at is None:
        return
    later = (
        (runs.c.export_id == record.export_id)
        & (runs.c.run_id != record.run_id)
        & (runs.c.published_at > record.started_at)
    )
    other = connection.execute(select(runs.c.run_key).where(later).limit(1)).scalar()
    if other is not None:
        raise DefinitionError(
            "NOTHING_LEFT",
            f"run {other} of the incremental export '{record.export_id}' has delivered since run {record.run_key} "
            "selected its contacts",
            hint="Run the export again: it takes up what has not been delivered yet.",
        )
