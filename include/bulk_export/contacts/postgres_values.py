"""Find the columns of a contact table that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from bulk_export.contacts.postgres_keys import MOMENTS, YEARS
from bulk_export.contacts.schema import METADATA
from bulk_export.contacts.store_validation import year_problems
from bulk_export.errors import Problem

if TYPE_CHECKING:
    from bulk_export.contacts.postgres_session import Session
    from bulk_export.contacts.postgres_table import ContactTable


def unreadable_columns(session: Session, table: ContactTable) -> list[Problem]:
    """The columns that cannot be read in every contact.

    All of the table is read. Such as a column of a view whose SQL fails for one row.
    """
    if _fault(session, table, [*table.columns]) is None:
        return []
    faults = {column: _fault(session, table, [column]) for column in table.columns}
    return [
        Problem(table.name, 0, column, f"cannot be read in every contact ({fault})")
        for column, fault in faults.items()
        if fault
    ]


def moments_out_of_reach(session: Session, table: ContactTable) -> list[Problem]:
    """Moments that no consumer can hold, anywhere in the table."""
    counts = [
        f"count(*) FILTER (WHERE NOT {table.columns[column]} {YEARS})" if column in table.columns else "0"
        for column in MOMENTS
    ]
    [(bad_starts, bad_updates)] = session.rows(f"SELECT {', '.join(counts)} FROM {table.quoted}")
    return year_problems(table.name, bad_starts, bad_updates)


def _fault(session: Session, table: ContactTable, columns: list[str]) -> str | None:
    """The kind of error that reading every value gives; the server's words may quote a contact."""
    lengths = ", ".join(f"max(length({_text(column, table.columns[column])}))" for column in columns)
    try:
        with session.connection.transaction():  # a savepoint: what fails must not end the snapshot
            session.rows(f"SELECT {lengths} FROM {table.quoted}")
    except psycopg.OperationalError:  # the server's, not a value's
        raise
    except psycopg.DatabaseError as error:
        return f"{type(error).__name__}{f', {error.sqlstate}' if error.sqlstate else ''}"
    return None


def _text(column: str, expression: str) -> str:
    return f"(({expression}) ->> '')" if column == METADATA else f"({expression})::text"
