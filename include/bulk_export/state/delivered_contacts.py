"""Remember what each incremental export has delivered.

Contact and the `updated_at` it had then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from sqlalchemy import Engine, func, select

from bulk_export.state.attempts import lock_attempt
from bulk_export.state.database import batches, transaction, upsert
from bulk_export.state.tables import deliveries, runs

# Each batch is a transaction of its own, so that 40,000 rows keep nobody else waiting; all of it may be repeated.
_ROWS_PER_TRANSACTION = 10_000


def record_deliveries(
    engine: Engine,
    export_id: str,
    run_id: str,
    delivered: Iterable[tuple[int, datetime | None]],
    *,
    attempt: int | None = None,
) -> int:
    """Record what a run delivered; returns how many contacts.

    It replaces what earlier runs recorded of the same contacts, and counts as soon as the run is published.

    Args:
        engine: the state database.
        export_id: the export that delivers each contact once.
        run_id: the run that delivered.
        delivered: contact id and the `updated_at` it had in the snapshot; None where the store has none.
        attempt: that records it; None for whoever need not be one.

    Raises:
        LateAttemptError: the attempt has been overtaken.
    """
    count = 0
    for batch in batches(delivered, _ROWS_PER_TRANSACTION):
        rows = [
            {"export_id": export_id, "contact_id": contact_id, "updated_at": updated_at, "run_id": run_id}
            for contact_id, updated_at in batch
        ]
        with transaction(engine) as connection:
            if attempt is not None:
                lock_attempt(connection, run_id, attempt)
            upsert(connection, deliveries, rows)
        count += len(batch)
    return count


def delivered_before(
    engine: Engine, export_id: str, *, run_id: str | None = None, batch_rows: int = 50_000
) -> Iterator[list[tuple[int, datetime | None]]]:
    """What the export has delivered, by contact id, in batches.

    Each batch costs one short read. What a run recorded and did not publish in the end was not delivered.

    Args:
        engine: the state database.
        export_id: the export.
        run_id: the run that asks. What it delivered itself is left out: cleared and run again, it must select the
            same contacts as the first time.
        batch_rows: at most so many per batch.
    """
    c = deliveries.c
    statement = select(c.contact_id, c.updated_at).outerjoin(runs, runs.c.run_id == c.run_id)
    statement = statement.where(c.export_id == export_id, func.coalesce(runs.c.manifest_sha256, "of before") != "")
    if run_id is not None:
        statement = statement.where(c.run_id != run_id)
    statement = statement.order_by(c.contact_id).limit(batch_rows)
    page = statement
    while True:
        with transaction(engine, reading=True) as connection:
            batch = [(contact_id, updated_at) for contact_id, updated_at in connection.execute(page)]
        if batch:
            yield batch
        if len(batch) < batch_rows:
            return
        page = statement.where(c.contact_id > batch[-1][0])
