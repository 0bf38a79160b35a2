"""One read-only transaction on a contact database.

On one snapshot, within time limits; its faults become the store's errors.

Every call of the store opens its own connection, so none is shared between processes or held while bytes move. No
error repeats what the server says about data: it may quote a contact.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import errors
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from bulk_export.errors import BulkExportError, DefinitionError, RefusedError, TransientError
from bulk_export.filters.dialect import POSTGRES_COLLATIONS

_CONNECT_TIMEOUT_S = 10
# Readers wait for nobody but somebody who is changing the table itself.
_LOCK_TIMEOUT_S = 30
_OLDEST = 130_000  # normalize() came with PostgreSQL 13
_REFUSALS = ("authentication failed", "does not exist", "pg_hba", "no password", "permission denied", "not permitted")
_SLOW = (
    "Add the indexes of `bulk-export schema store-sql`, narrow the search, or raise contact_store.statement_timeout_s."
)


class UnreadableValueError(DefinitionError):
    """A value, or the SQL of a view, cannot be read.

    Which one the server does not tell.
    """


@dataclass(frozen=True, slots=True)
class Database:
    """Where the contacts are and how patient to be.

    Attributes:
        url: SQLAlchemy address, with the password.
        table: the table or view, `name` or `schema.name`.
        statement_timeout_s: seconds after which the server gives a query up.
    """

    url: str = field(repr=False)
    table: str
    statement_timeout_s: int

    def __str__(self) -> str:
        try:
            url = make_url(self.url)
        except (ArgumentError, ValueError):
            return f"contact store (table {self.table})"
        place = f"{url.host or 'localhost'}{f':{url.port}' if url.port else ''}/{url.database or ''}"
        return f"contact store postgresql://{place} (table {self.table})"


@dataclass(frozen=True, slots=True)
class Session:
    """An open transaction. Statements bind their operands with `?`.

    Attributes:
        dialect: the key of `filters.dialect.DIALECTS` whose SQL this server understands.
    """

    connection: psycopg.Connection[Any]
    dialect: str

    def rows(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a small result."""
        return psycopg.RawCursor(self.connection).execute(*_bound(query, parameters), binary=True).fetchall()

    def batches(self, query: str, parameters: Sequence[object], size: int) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a large result, `size` at a time."""
        with psycopg.RawServerCursor(self.connection, "contacts") as cursor:
            cursor.execute(*_bound(query, parameters), binary=True)
            while rows := cursor.fetchmany(size):
                yield rows


@contextmanager
def reading(database: Database) -> Iterator[Session]:
    """One snapshot of the database; `BulkExportError` for whatever goes wrong with it.

    Raises:
        DefinitionError: STORE_INVALID or STORE_UNSUPPORTED.
        RefusedError: STORE_DENIED.
        TransientError: STORE_UNREACHABLE, or STORE_TIMEOUT.
    """
    connection = _connected(database)
    try:
        yield Session(connection, _prepared(connection, database))
    except psycopg.Error as error:
        # Not chained: a traceback would show the server's words, and they may quote a contact.
        raise _sorted(error, database) from None
    finally:
        connection.close()


def _connected(database: Database) -> psycopg.Connection[Any]:
    try:
        url = make_url(database.url)
        given = url.translate_connect_args(username="user", database="dbname") | dict(url.query)
    except (ArgumentError, ValueError):
        raise DefinitionError(
            "STORE_INVALID",
            f"{database}: the connection's address is not one of PostgreSQL",
            hint="Fix the connection.",
        ) from None
    given |= {"connect_timeout": _CONNECT_TIMEOUT_S, "application_name": "bulk-export", "client_encoding": "utf8"}
    try:
        # No prepared statements: a pooler between here and the server may not keep them.
        connection: psycopg.Connection[Any] = psycopg.connect(**given, prepare_threshold=None)
    except psycopg.OperationalError as error:
        reason = " ".join(str(error).splitlines()[:1])[:300]
        if any(words in reason for words in _REFUSALS):
            raise RefusedError(
                "STORE_DENIED",
                f"{database} refuses the connection: {reason}",
                hint="Check user, password and database.",
            ) from None
        raise TransientError(
            "STORE_UNREACHABLE",
            f"{database} cannot be reached: {reason}",
            hint="Check that the database runs, and host and port of the connection.",
        ) from None
    except psycopg.Error:
        raise DefinitionError(
            "STORE_INVALID", f"{database}: the connection has a parameter PostgreSQL does not know", hint="Fix it."
        ) from None
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return connection


def _prepared(connection: psycopg.Connection[Any], database: Database) -> str:
    """Set the transaction's limits and look what the server can do; returns its dialect."""
    if connection.info.server_version < _OLDEST:
        raise _unsupported(database, "it is older than PostgreSQL 13")
    settings = {
        "statement_timeout": f"{database.statement_timeout_s}s",
        "lock_timeout": f"{_LOCK_TIMEOUT_S}s",
        "TimeZone": "UTC",  # columns without a zone are compared and read in this one
        "cursor_tuple_fraction": "1",  # everything will be fetched, so plan for that
        "jit": "off",  # compiling sixty columns takes longer than reading a job
    }
    # For this transaction alone: a pooler hands the session on.
    calls = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())
    query = (
        f"SELECT getdatabaseencoding(), (SELECT array_agg(collname::text) FROM pg_collation WHERE collencoding IN"
        f" (-1, pg_char_to_encoding('UTF8')) AND collname = ANY($1::text[])), {calls}"
    )
    row = psycopg.RawCursor(connection).execute(query, [list(POSTGRES_COLLATIONS)]).fetchone()
    assert row is not None
    if row[0] != "UTF8":
        raise _unsupported(database, f"its encoding is {row[0]}, not UTF8")
    found = next((name for collation, name in POSTGRES_COLLATIONS.items() if collation in (row[1] or ())), None)
    if found is None:
        raise _unsupported(database, "it was built without ICU and is older than PostgreSQL 17")
    return found


def _bound(query: str, parameters: Sequence[object]) -> tuple[str, list[object]]:
    """The query as PostgreSQL numbers its operands. No text in the database holds U+0000: such an operand is null."""
    first, *rest = query.split("?")
    numbered = first + "".join(f"${number}{part}" for number, part in enumerate(rest, start=1))
    return numbered, [None if isinstance(value, str) and "\0" in value else value for value in parameters]


def _sorted(error: psycopg.Error, database: Database) -> BulkExportError:
    kind = f"{type(error).__name__}{f', {error.sqlstate}' if error.sqlstate else ''}"
    match error:
        case errors.InsufficientPrivilege():
            return RefusedError(
                "STORE_DENIED",
                f"{database}: the connection's user has no right to read it",
                hint=f"GRANT SELECT ON {database.table} and USAGE on its schema to that user.",
            )
        case errors.QueryCanceled():
            return TransientError(
                "STORE_TIMEOUT", f"{database} gave no answer in {database.statement_timeout_s} seconds", hint=_SLOW
            )
        case errors.LockNotAvailable():
            return TransientError(
                "STORE_TIMEOUT",
                f"{database} was locked for more than {_LOCK_TIMEOUT_S} seconds",
                hint="Somebody is altering the table; try again when that is done.",
            )
        case errors.UndefinedTable() | errors.InvalidSchemaName():
            return DefinitionError(
                "STORE_INVALID", f"{database}: there is no such table or view", hint="Check contact_store.table."
            )
        case errors.ReadOnlySqlTransaction():
            return DefinitionError("STORE_INVALID", f"{database}: reading it writes something", hint="Fix the view.")
        case psycopg.OperationalError() | psycopg.InterfaceError() | errors.TransactionRollback():
            return TransientError(
                "STORE_UNREACHABLE",
                f"{database} stopped answering ({kind})",
                hint="Try again; if it stays, look into the server's log.",
            )
    return UnreadableValueError(
        "STORE_INVALID",
        f"{database} cannot be read ({kind})",
        hint="A value or the view's own SQL is at fault; the server's log has the details.",
    )


def _unsupported(database: Database, why: str) -> DefinitionError:
    return DefinitionError(
        "STORE_UNSUPPORTED",
        f"{database}: {why}",
        hint="It takes PostgreSQL 13 or newer, a UTF8 database, and ICU or 17.",
    )
