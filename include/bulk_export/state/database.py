"""Open the state database; run one short transaction at a time.

SQLite serves every process of one machine, PostgreSQL a cluster; everything above speaks the same SQL to both.
No handle outlives its transaction, so a process that forks shares none with its children.
"""

from __future__ import annotations

import logging
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError

from bulk_export.errors import BulkExportError, DefinitionError, StateAwayError, TransientError
from bulk_export.storage.retry import RetryPolicy

if TYPE_CHECKING:
    from sqlalchemy import Table

_Row = TypeVar("_Row")
_READING = "bulk_export_reading"
_TABLE_UNKNOWN = "42P01"  # PostgreSQL's undefined_table
# What the two databases say of tables that are another program's, or of another time.
_OTHER_TABLES = frozenset({"42P07", "42P16", "42701", "42703", "42710", "42804"})
_OTHER_TABLES_SQLITE = re.compile(r"already exists|no such column|has no column named|duplicate column name")
_CONNECT_TIMEOUT_S = 10
_NOT_FOR_OTHERS = 0o660
_PATIENCE = "bulk_export_patience"
# What a server, or the library on its behalf, says when waiting does not help.
_REFUSALS = ("authentication failed", "does not exist", "pg_hba", "no password", "permission denied", "not known")

log = logging.getLogger(__name__)


def open_state(
    url: str, *, base: Path | None = None, busy_timeout_s: float = 60.0, patience: RetryPolicy | None = None
) -> Engine:
    """An engine on the state database.

    Nothing is connected to yet, except that a SQLite file's folder is made.

    Args:
        url: SQLAlchemy URL: `sqlite:///var/state.db`, `postgresql://…`, or Airflow's `postgres://…`.
        base: the folder that a relative SQLite path is taken from (that of settings.yaml); None leaves it as it is.
        busy_timeout_s: how long a SQLite transaction waits for another process's.
        patience: how long the beginning of a transaction waits for PostgreSQL to come back; None: not at all.

    Raises:
        DefinitionError: STATE_URL_INVALID, or STATE_DRIVER_MISSING when the PostgreSQL driver is not installed.
        TransientError: STATE_UNREACHABLE when the folder of a SQLite file cannot be made.
    """
    parsed = _parse(url)
    try:
        if parsed.get_backend_name() == "sqlite":
            return _open_sqlite(parsed, base, busy_timeout_s)
        return create_engine(
            parsed,
            poolclass=NullPool,
            hide_parameters=True,
            connect_args={"connect_timeout": _CONNECT_TIMEOUT_S},
            execution_options={_PATIENCE: patience},
        )
    except ModuleNotFoundError as error:
        raise DefinitionError(
            "STATE_DRIVER_MISSING",
            f"the state database needs the Python package {error.name}",
            hint="Install bulk-contact-export[postgres], or use a sqlite:/// URL.",
        ) from error


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        if parsed.drivername in {"postgres", "postgresql", "postgresql+psycopg2"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() not in {"sqlite", "postgresql"}:
            raise _url_invalid(f"{parsed.get_backend_name()} is not supported")
    except (ArgumentError, NoSuchModuleError, ValueError):
        # No cause is chained: its text holds the URL, and the URL may hold a password.
        raise _url_invalid("it is not a database URL") from None
    return parsed


def _url_invalid(problem: str) -> DefinitionError:
    return DefinitionError(
        "STATE_URL_INVALID",
        f"cannot open the state database: {problem}",
        hint="Give state.url as sqlite:///path/to/state.db or postgresql://user@host/database.",
    )


def _open_sqlite(url: URL, base: Path | None, busy_timeout_s: float) -> Engine:
    if not url.database or url.database == ":memory:":
        raise _url_invalid("SQLite needs a file, a database in memory is lost with each connection")
    path = (base or Path()) / url.database
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TransientError(
            "STATE_UNREACHABLE",
            f"cannot make the folder of the state database {path}: {error.strerror}",
            hint="Check the path and the rights of state.url.",
        ) from error
    engine = create_engine(
        url.set(database=str(path)),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": busy_timeout_s},
    )

    @event.listens_for(engine, "do_connect")
    def make(*_: object) -> None:
        # SQLite would make the file for everybody; what it keeps beside it gets the file's rights.
        with suppress(OSError):  # SQLite says better what is wrong
            os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, _NOT_FOR_OTHERS))

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver's guesses
        connection.execute("PRAGMA foreign_keys = ON")
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            _switch_to_wal(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: upgrading a read lock later fails instead of waiting.
        reading = connection.get_execution_options().get(_READING, False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _switch_to_wal(connection: Any) -> None:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError:
        # Another process holds the fresh file. The switch is for speed and lasts: a later connection makes it.
        return


@contextmanager
def transaction(engine: Engine, *, reading: bool = False) -> Iterator[Connection]:
    """One transaction, committed at the end and rolled back on any exception.

    Args:
        engine: from `open_state`.
        reading: True for one that only reads; on SQLite it then waits for no writer.

    Raises:
        TransientError: STATE_UNREACHABLE when the database is locked, gone, full or refuses the connection.
        StateAwayError: STATE_UNREACHABLE while it may come back, at the beginning once patience has ended.
        DefinitionError: STATE_NOT_MIGRATED when its tables are missing, STATE_INVALID when they are somebody else's.
    """
    with ExitStack() as stack:
        connection = _begun(engine.execution_options(**{_READING: True}) if reading else engine, stack)
        try:
            with stack.pop_all():
                yield connection
        except DBAPIError as error:
            known = _sort(error, engine)
            if known is None:
                raise
            if isinstance(known, StateAwayError):
                known.lost = True
            raise known from error


def _begun(engine: Engine, stack: ExitStack) -> Connection:
    """A transaction that ends with the stack, waited for while the database may come back."""
    patience: RetryPolicy | None = engine.get_execution_options().get(_PATIENCE)
    told = False

    def begin() -> Connection:
        nonlocal told
        try:
            return stack.enter_context(engine.begin())
        except DBAPIError as error:
            known = _sort(error, engine)
            if known is None:
                raise
            if isinstance(known, StateAwayError) and patience is not None and not told:
                told = True
                log.warning("%s Waiting for it up to %d seconds.", known.message, patience.window_s)
            raise known from error

    return begin() if patience is None else patience.call(begin, lambda error: isinstance(error, StateAwayError))


def _sort(error: DBAPIError, engine: Engine) -> BulkExportError | None:
    place = engine.url.render_as_string(hide_password=True)
    reason = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
    if "no such table" in reason or getattr(error.orig, "sqlstate", None) == _TABLE_UNKNOWN:
        return DefinitionError(
            "STATE_NOT_MIGRATED", f"the state database {place} has no tables yet", hint="Run `bulk-export migrate`."
        )
    if "file is not a database" in reason or "malformed" in reason:
        return DefinitionError(
            "STATE_INVALID",
            f"{place} is not a usable state database: {reason}",
            hint="Check state.url, or restore the file from a backup.",
        )
    if _has_other_tables(error, reason):
        return DefinitionError(
            "STATE_INVALID",
            f"the tables of the state database {place} are not what this program made: {reason}",
            hint="Give `state` a database of its own, or restore this one from a backup.",
        )
    if isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated:
        return _unreachable(engine, reason)(
            "STATE_UNREACHABLE",
            f"the state database {place} did not answer: {reason}",
            hint="Check that it runs, can be reached, has room, and that no other program keeps it locked.",
        )
    return None


def _has_other_tables(error: DBAPIError, reason: str) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return _OTHER_TABLES_SQLITE.search(reason) is not None
    return getattr(error.orig, "sqlstate", None) in _OTHER_TABLES


def _unreachable(engine: Engine, reason: str) -> type[TransientError]:
    """SQLite has waited for its lock already; a server that says no will say so again."""
    away = engine.dialect.name == "postgresql" and not any(words in reason for words in _REFUSALS)
    return StateAwayError if away else TransientError


def insert_missing(connection: Connection, table: Table, row: Mapping[str, object]) -> bool:
    """Insert a row unless its primary key exists.

    Returns whether it was inserted.

    Waits for another transaction that is inserting the same key, and then answers by how that one ended.
    """
    keys = list(table.primary_key.columns)
    # RETURNING, because the row count of an INSERT is not reliable with every driver.
    statement = _insert(connection, table).values(row).on_conflict_do_nothing(index_elements=keys).returning(keys[0])
    return connection.execute(statement).first() is not None


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, each in place of the one with its key.

    All of them give the same columns.
    """
    keys = list(table.primary_key.columns)
    statement = _insert(connection, table)
    values = {name: statement.excluded[name] for name in rows[0] if name not in table.primary_key.columns}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    # SQLAlchemy has ON CONFLICT per database, in one shape.
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def batches(rows: Iterable[_Row], size: int) -> Iterator[list[_Row]]:
    """The rows in lists of at most `size`."""
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch
