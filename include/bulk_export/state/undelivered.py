"""Remember what each incremental export has not delivered.

It matched these contacts, and its next run takes them too.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, Engine, delete, select

from bulk_export.reasons import ItemStatus
from bulk_export.state.database import batches, transaction, upsert
from bulk_export.state.tables import deliveries, items, runs, undelivered

_ROWS_PER_TRANSACTION = 10_000


def record_undelivered(engine: Engine, export_id: str, run_id: str, contact_ids: Iterable[int]) -> int:
    """Record what a run did not deliver; returns how many.

    Contacts that it matched. All of it may be repeated.

    Args:
        engine: the state database.
        export_id: the export that delivers each contact once.
        run_id: the run.
        contact_ids: each once.
    """
    count = 0
    for batch in batches(contact_ids, _ROWS_PER_TRANSACTION):
        rows = [{"export_id": export_id, "contact_id": contact_id, "run_id": run_id} for contact_id in batch]
        with transaction(engine) as connection:
            upsert(connection, undelivered, rows)
        count += len(batch)
    return count


def forget_delivered(connection: Connection, export_id: str, run_id: str) -> None:
    """Take away what a run has delivered; part of publishing it."""
    d, u = deliveries.c, undelivered.c
    delivered = select(d.contact_id).where(d.export_id == export_id, d.run_id == run_id)
    connection.execute(delete(undelivered).where(u.export_id == export_id, u.contact_id.in_(delivered)))


def list_undelivered(engine: Engine, export_id: str) -> list[int]:
    """The contacts an export has still to deliver, by id."""
    u = undelivered.c
    with transaction(engine, reading=True) as connection:
        statement = select(u.contact_id).where(u.export_id == export_id).order_by(u.contact_id)
        return list(connection.execute(statement).scalars())


def list_failed(engine: Engine, export_id: str, *, run_id: str) -> list[int]:
    """Those of them that a run found faulty, by id.

    Args:
        engine: the state database.
        export_id: the export.
        run_id: the run that asks. What it found itself is left out: cleared and run again, it must select the same
            contacts as the first time.
    """
    u, i, r = undelivered.c, items.c, runs.c
    tried = select(u.contact_id).join(items, i.contact_id == u.contact_id).join(runs, r.run_id == i.run_id)
    tried = tried.where(u.export_id == export_id, r.export_id == export_id, r.run_id != run_id)
    faulty = tried.where(i.status == ItemStatus.FAULTY.value).distinct().order_by(u.contact_id)
    with transaction(engine, reading=True) as connection:
        return list(connection.execute(faulty).scalars())
