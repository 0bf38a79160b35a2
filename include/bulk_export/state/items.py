"""Keep the contacts of a run that were not delivered whole.

One row each, for the audit's pages and its download.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Engine, delete, select

from bulk_export.reasons import ItemStatus, Reason
from bulk_export.state.attempts import lock_attempt
from bulk_export.state.database import batches, transaction, upsert
from bulk_export.state.tables import items

# Each batch is a transaction of its own, so that a million rows keep nobody else waiting; all of it may be repeated.
_ROWS_PER_TRANSACTION = 10_000


@dataclass(frozen=True, slots=True)
class Item:
    """A contact that was not delivered whole.

    Attributes:
        contact_id: the contact.
        status: what became of it.
        reason: why; None only where nothing more is known.
        detail: what exactly was wrong, for engineers; never personal data.
    """

    contact_id: int
    status: ItemStatus
    reason: Reason | None = None
    detail: str = ""


def record_items(engine: Engine, run_id: str, rows: Iterable[Item], *, attempt: int | None = None) -> int:
    """Record the troubled contacts of a run; returns how many.

    They replace those recorded before.

    Whoever reads meanwhile finds some of them: the run is not published before all are written.

    Raises:
        DefinitionError: RUN_UNKNOWN.
        LateAttemptError: the attempt has been overtaken.
    """
    forget_items(engine, run_id, attempt=attempt)
    count = 0
    for batch in batches(rows, _ROWS_PER_TRANSACTION):
        written = [_row(run_id, item) for item in batch]
        with transaction(engine) as connection:
            lock_attempt(connection, run_id, attempt)
            upsert(connection, items, written)
        count += len(batch)
    return count


def forget_items(engine: Engine, run_id: str, *, attempt: int | None = None) -> None:
    """Remove the recorded contacts of a run.

    Such as one that was not published in the end.
    """
    c = items.c
    some = select(c.contact_id).where(c.run_id == run_id).limit(_ROWS_PER_TRANSACTION)
    gone = _ROWS_PER_TRANSACTION
    while gone == _ROWS_PER_TRANSACTION:
        with transaction(engine) as connection:
            lock_attempt(connection, run_id, attempt)
            gone = connection.execute(delete(items).where(c.run_id == run_id, c.contact_id.in_(some))).rowcount


def _row(run_id: str, item: Item) -> dict[str, object]:
    return {
        "run_id": run_id,
        "contact_id": item.contact_id,
        "status": item.status.value,
        "reason": item.reason.value if item.reason else "",
        "detail": item.detail,
    }


def contacts_with(
    engine: Engine, run_id: str, statuses: Iterable[ItemStatus], *, reason: Reason | None = None
) -> list[int]:
    """Ids of a run's contacts that have one of these statuses.

    And this reason, where one is given. In ascending order.
    """
    c = items.c
    statement = select(c.contact_id).where(c.run_id == run_id, c.status.in_([status.value for status in statuses]))
    if reason is not None:
        statement = statement.where(c.reason == reason.value)
    with transaction(engine, reading=True) as connection:
        return list(connection.execute(statement.order_by(c.contact_id)).scalars())


def list_items(
    engine: Engine,
    run_id: str,
    *,
    limit: int = 100,
    after: int | None = None,
    status: ItemStatus | None = None,
    reason: Reason | None = None,
) -> list[Item]:
    """Troubled contacts of a run by id, one page.

    Args:
        engine: the state database.
        run_id: the run.
        limit: at most so many.
        after: contact id that ended the page before.
        status: only these.
        reason: only these.
    """
    c = items.c
    statement = select(c.contact_id, c.status, c.reason, c.detail).where(c.run_id == run_id)
    if after is not None:
        statement = statement.where(c.contact_id > after)
    if status is not None:
        statement = statement.where(c.status == status.value)
    if reason is not None:
        statement = statement.where(c.reason == reason.value)
    with transaction(engine, reading=True) as connection:
        rows = connection.execute(statement.order_by(c.contact_id).limit(limit)).all()
    return [
        Item(row.contact_id, ItemStatus(row.status), Reason(row.reason) if row.reason else None, row.detail)
        for row in rows
    ]
