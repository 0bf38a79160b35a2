"""A contact store in PostgreSQL: one table or view.

It is read through its indexes; objects are in any storage.

Each call is one read-only transaction on one snapshot. A run's contacts are frozen by a single `select_keys`. `fetch`
reads a job's fields later, on a snapshot of its own: a contact that has changed since shows its newest fields, one that
left is not in the result, and one whose `started_at` moved out of the job's span counts as gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.contacts.base import Matches, StoreReport
from bulk_export.contacts.duckdb_session import Limits, duckdb_session
from bulk_export.contacts.postgres_keys import arrow, matched, readable, write_keys
from bulk_export.contacts.postgres_session import Database, Session, UnreadableValueError, reading
from bulk_export.contacts.postgres_table import ContactTable, describe
from bulk_export.contacts.postgres_values import moments_out_of_reach, unreadable_columns
from bulk_export.contacts.schema import (
    METADATA,
    NEVER_NULL,
    canonical_schema,
    job_columns,
    keys_schema,
    uris_schema,
)
from bulk_export.contacts.store_validation import (
    COUNTS,
    duplicate_problems,
    duplicates_in,
    fetched_twice,
    null_problem,
    store_report,
    year_problems,
)
from bulk_export.errors import DefinitionError, Problem
from bulk_export.storage import open_uri

if TYPE_CHECKING:
    from bulk_export.definitions.contact_stores import PostgresStore
    from bulk_export.filters.selection import Selection
    from bulk_export.storage.base import Storage
    from bulk_export.storage.credentials import Credentials
    from bulk_export.storage.retry import RetryPolicy

_KEYS_AT_ONCE = 20_000
_CONTACTS_AT_ONCE = 2_000
_HINT = "Fix the table or the view; `bulk-export check-store` says the same without exporting anything."


def open_postgres_store(
    settings: PostgresStore,
    *,
    base: Path,
    scratch: Path,
    credentials: Credentials | None,
    database_url: str,
    retry_policy: RetryPolicy | None,
) -> PostgresContactStore:
    """Open the table that settings name, and its objects' storage."""
    objects = open_uri(settings.objects, base=base, credentials=credentials, retry_policy=retry_policy)
    database = Database(database_url, settings.table, settings.statement_timeout_s)
    return PostgresContactStore(database, objects, scratch=scratch)


class PostgresContactStore:
    """Contacts in a table or view of PostgreSQL.

    Args:
        database: which one, and how patient to be.
        objects: where relative addresses of media and transcripts start.
        scratch: local folder, where the ids of views without a unique index are compared.
    """

    def __init__(self, database: Database, objects: Storage, *, scratch: Path) -> None:
        self._database = database
        self._objects = objects
        self._scratch = scratch
        self._dialect = ""

    @property
    def dialect(self) -> str:
        """The SQL of this server, as the server itself says.

        It is asked the first time; raises as `check` does.
        """
        if not self._dialect:
            with reading(self._database) as session:
                self._dialect = session.dialect
        return self._dialect

    @property
    def objects(self) -> Storage:
        """Where relative addresses start."""
        return self._objects

    def check(self, *, values: bool = False) -> StoreReport:
        """Look at the whole catalogue; see `ContactStore.check`."""
        with self._reading() as session:
            table = describe(session, self._database.table)
            problems = unreadable_columns(session, table) if values else []
            problems = [*table.problems, *(problems or self._null_problems(session, table))]
            if values and not problems:
                problems += moments_out_of_reach(session, table)
            if "contact_id" in table.columns and not table.unique_ids:
                problems += self._duplicates(session, table)
            if problems:
                raise self._invalid(problems)
            [(contacts,)] = session.rows(f"SELECT count(*) FROM {table.quoted}")
        return store_report(contacts, table.columns, table.ignored)

    def uris(self) -> Iterator[pa.Table]:
        """Every contact's addresses; see `ContactStore.uris`."""
        with self._usable() as (session, table):
            query = table.relation(uris_schema().names)
            for rows in session.batches(query, [], _KEYS_AT_ONCE):
                yield arrow(rows, uris_schema())

    def count(self, selection: Selection) -> Matches:
        """How many contacts match, without writing anything."""
        with self._usable() as (session, table):
            [(contacts, roots, media_bytes)] = session.rows(
                f"SELECT {COUNTS} FROM ({matched(table, selection)}) AS matched", selection.parameters
            )
        return Matches(contacts, roots, int(media_bytes or 0))

    def preview(self, selection: Selection, count: int) -> tuple[Matches, pa.Table]:
        """How many match, and the oldest of them; see `ContactStore.preview`."""
        with self._usable() as (session, table):
            rows = session.rows(
                f"WITH matched AS MATERIALIZED ({matched(table, selection)}), oldest AS ("
                f"SELECT * FROM matched WHERE NOT root ORDER BY ordered_by, contact_id LIMIT {count:d})"
                " SELECT counted.*, contact_id, started_at, updated_at, media_bytes"
                f" FROM (SELECT {COUNTS} FROM matched) AS counted LEFT JOIN oldest ON true"
                " ORDER BY ordered_by, contact_id",
                selection.parameters,
            )
        contacts, roots, media_bytes = rows[0][:3]
        # Where nothing matches there is one row: the counts, and nulls beside them.
        keys = [row[3:] for row in rows] if contacts else []
        return Matches(contacts, roots, int(media_bytes or 0)), arrow(keys, keys_schema())

    def select_keys(self, selection: Selection, into: Path) -> Matches:
        """Write the matched contacts' keys in order; see `ContactStore.select_keys`."""
        into.parent.mkdir(parents=True, exist_ok=True)
        unfinished = into.with_name(f".{into.name}.unfinished")
        ids = into.with_name(f".{into.name}.ids")
        try:
            with self._usable() as (session, table):
                rows = session.batches(
                    "SELECT contact_id, started_at, updated_at, media_bytes, root, bad_start, bad_update"
                    f" FROM ({matched(table, selection)}) AS matched ORDER BY ordered_by, contact_id",
                    selection.parameters,
                    _KEYS_AT_ONCE,
                )
                found = write_keys(rows, unfinished, None if table.unique_ids else ids)
            problems = year_problems(self._database.table, found.bad_starts, found.bad_updates)
            if ids.exists():
                problems += self._repeated(ids)
            if problems:
                raise self._invalid(problems)
            unfinished.replace(into)
        finally:
            unfinished.unlink(missing_ok=True)
            ids.unlink(missing_ok=True)
        return found.matches

    def fetch(self, keys: pa.Table, metadata_keys: tuple[str, ...], *, with_text: bool) -> pa.Table:
        """The job table of these contacts; see `ContactStore.fetch`."""
        schema = canonical_schema(metadata_keys, with_text)
        if not keys.num_rows:
            return schema.empty_table()
        parts: list[pa.Table] = []
        with self._usable() as (session, table):
            columns = job_columns(with_text=with_text)
            selected = [f"{readable(column)} AS {column}" for column in columns]
            selected += [f"contacts.{METADATA} ->> ?::text AS m{number}" for number in range(len(metadata_keys))]
            query = (
                f"SELECT {', '.join(selected)}, wanted.position"
                " FROM unnest(?::bigint[]) WITH ORDINALITY AS wanted (contact_id, position)"
                f" JOIN ({table.relation([*columns, METADATA])}) AS contacts ON contacts.contact_id = wanted.contact_id"
                " WHERE contacts.started_at >= ? AND contacts.started_at <= ?"
            )
            for start in range(0, keys.num_rows, _KEYS_AT_ONCE):
                part = keys.slice(start, _KEYS_AT_ONCE)
                span = pc.min_max(part["started_at"]).as_py()
                operands = [*metadata_keys, part["contact_id"].to_pylist(), span["min"], span["max"]]
                found = [
                    arrow(rows, schema.append(pa.field("position", pa.int64())))
                    for rows in session.batches(query, operands, _CONTACTS_AT_ONCE)
                ]
                # Rows are put in order here: the server would write them to disk to sort them.
                parts += [pa.concat_tables(found).sort_by("position").select(schema.names)] if found else []
        result = pa.concat_tables(parts) if parts else schema.empty_table()
        if result.num_rows > keys.num_rows or pc.count_distinct(result["contact_id"]).as_py() < result.num_rows:
            raise self._invalid([fetched_twice(self._database.table)])
        return result

    @contextmanager
    def _usable(self) -> Iterator[tuple[Session, ContactTable]]:
        """A transaction and the table, refused when it cannot be exported from."""
        with self._reading() as session:
            table = describe(session, self._database.table)
            problems = [*table.problems, *self._null_problems(session, table)]
            if problems:
                raise self._invalid(problems)
            yield session, table

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        """A transaction; where a value cannot be read its column is named."""
        try:
            with reading(self._database) as session:
                yield session
        except UnreadableValueError as error:
            with reading(self._database) as looking:
                problems = unreadable_columns(looking, describe(looking, self._database.table))
            raise self._invalid(problems) if problems else error from None

    def _null_problems(self, session: Session, table: ContactTable) -> list[Problem]:
        # Two searches that indexes on these columns answer at once; nothing where the columns are NOT NULL.
        found = []
        for column in NEVER_NULL:
            if column in table.nullable and column in table.columns:
                [(count,)] = session.rows(f"SELECT count(*) FROM {table.quoted} WHERE {column} IS NULL")
                if count:
                    found.append(null_problem(table.name, column, count))
        return found

    def _duplicates(self, session: Session, table: ContactTable) -> list[Problem]:
        return duplicate_problems(table.name, session.rows(duplicates_in(table.quoted)))

    def _repeated(self, ids: Path) -> list[Problem]:
        """Contact ids that were selected more than once, found on this machine in little memory."""
        with duckdb_session(self._scratch, Limits("512MB", 2)) as connection:
            rows = connection.execute(duplicates_in("read_parquet(?)"), [str(ids)]).fetchall()
        return duplicate_problems(self._database.table, rows)

    def _invalid(self, problems: Sequence[Problem]) -> DefinitionError:
        return DefinitionError(
            "STORE_INVALID", f"the {self._database} cannot be used as it is", hint=_HINT, problems=problems
        )
