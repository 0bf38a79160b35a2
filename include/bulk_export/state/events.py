"""Log who created, edited, triggered or was refused what.

The database refuses to change the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, insert, select

from bulk_export.state.database import transaction
from bulk_export.state.tables import events


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log.

    Attributes:
        event_id: grows with time; not without gaps.
        at: aware UTC.
        who: user name, or the program that acted on its own.
        action: one word such as `created`, `edited`, `deleted`, `triggered`, `refused`.
        subject: what it was done to, such as `export weekly-detractors`.
        detail: more words; never a secret or personal data of a contact.
    """

    event_id: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: str


def append_event(engine: Engine, who: str, action: str, subject: str, detail: str, now: datetime) -> None:
    """Add one entry; there is no way to change or remove it."""
    entry = {"at": now, "who": who, "action": action, "subject": subject, "detail": detail}
    with transaction(engine) as connection:
        connection.execute(insert(events).values(entry))


def list_events(
    engine: Engine,
    *,
    limit: int = 100,
    before: int | None = None,
    who: str | None = None,
    action: str | None = None,
    subject: str | None = None,
) -> list[Event]:
    """Entries, newest first, a page at a time.

    Args:
        engine: the state database.
        limit: at most so many.
        before: event id that ended the page before.
        who: only of this user.
        action: only these.
        subject: only about this.
    """
    c = events.c
    statement = select(c.event_id, c.at, c.who, c.action, c.subject, c.detail)
    if before is not None:
        statement = statement.where(c.event_id < before)
    for column, value in ((c.who, who), (c.action, action), (c.subject, subject)):
        if value is not None:
            statement = statement.where(column == value)
    with transaction(engine, reading=True) as connection:
        return [Event(*row) for row in connection.execute(statement.order_by(c.event_id.desc()).limit(limit))]
