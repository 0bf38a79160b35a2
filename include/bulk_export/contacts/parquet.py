"""A contact store of Parquet files, read with DuckDB.

The files are `contacts/**/*.parquet`, with the objects beside them. Reading goes in two steps: the ordered keys of
everything that matches first, then each job's columns by key range. That keeps memory flat whatever the store's size.
Every call opens its own DuckDB with its own limits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.contacts.base import Matches, StoreReport
from bulk_export.contacts.catalog_files import FOLDER, FoundFile
from bulk_export.contacts.duckdb_session import Limits, duckdb_fault, duckdb_session
from bulk_export.contacts.parquet_catalog import open_catalog
from bulk_export.contacts.parquet_damage import damaged_columns, oversized_cells, read_every_value
from bulk_export.contacts.parquet_files import CatalogFile, file_problems
from bulk_export.contacts.parquet_inspection import InspectedCatalog
from bulk_export.contacts.parquet_relation import OUT_OF_REACH, matched, relation
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
from bulk_export.errors import BulkExportError, DefinitionError, Problem
from bulk_export.storage import local_folders, open_uri
from bulk_export.storage.faults import scratch_faults

if TYPE_CHECKING:
    from bulk_export.definitions.contact_stores import ParquetStore
    from bulk_export.filters.selection import Selection
    from bulk_export.storage.base import Storage
    from bulk_export.storage.credentials import Credentials
    from bulk_export.storage.retry import RetryPolicy

_ROWS_AT_ONCE = 50_000
_HINT = "Fix the store's files; `bulk-export check-store` says the same without exporting anything."


def open_parquet_store(
    settings: ParquetStore,
    *,
    base: Path,
    scratch: Path,
    credentials: Credentials | None,
    database_url: str,
    retry_policy: RetryPolicy | None,
) -> ParquetContactStore:
    """Open the store at the settings' address."""
    root = open_uri(settings.uri, base=base, credentials=credentials, retry_policy=retry_policy)
    return ParquetContactStore(root, scratch=scratch, allowed=local_folders(settings.allowed, base))


class ParquetContactStore:
    """Contacts in Parquet files below `<root>/contacts`, objects relative to the root.

    Args:
        root: the store's root.
        allowed: directories that links of the catalogue may lead into, beside the root.
        scratch: local folder for what does not fit into `memory_limit`; made when needed.
        memory_limit: of DuckDB, as it writes sizes.
        threads: of DuckDB.
    """

    def __init__(
        self,
        root: Storage,
        *,
        scratch: Path,
        allowed: Sequence[Path] = (),
        memory_limit: str = "512MB",
        threads: int = 2,
    ) -> None:
        self._root = root
        self._catalog = open_catalog(root, allowed)
        self._inspected = InspectedCatalog(self._catalog, root.uri)
        self._scratch = scratch
        self._limits = Limits(memory_limit, threads)

    @property
    def dialect(self) -> str:
        """DuckDB's SQL."""
        return "duckdb"

    @property
    def objects(self) -> Storage:
        """The store's root: relative addresses of media and transcripts start there."""
        return self._root

    def check(self, *, values: bool = False) -> StoreReport:
        """Look at the whole catalogue; see `ContactStore.check`."""
        files = self._inspected.files()
        problems = self._problems(files)
        if values and not problems:
            problems += self._value_problems(files)
        usable = [file for file in files if "contact_id" in file.columns]
        if usable:
            problems += self._id_problems(usable)
        if problems:
            raise self._invalid(problems)
        present = {column for file in files for column in file.columns}
        ignored = {column: None for file in files for column in file.ignored}
        return store_report(sum(file.rows for file in files), present, ignored, self._inspected.unread)

    def uris(self) -> Iterator[pa.Table]:
        """Every contact's addresses; see `ContactStore.uris`."""
        files = self._usable_files()
        query, parameters = relation(files, uris_schema().names)
        with self._session(files) as connection:
            for batch in connection.sql(query, params=parameters).to_arrow_reader(_ROWS_AT_ONCE):
                yield pa.Table.from_batches([batch]).cast(uris_schema())

    def count(self, selection: Selection) -> Matches:
        """How many contacts match, without writing anything."""
        files = self._usable_files()
        with self._session(files) as connection:
            query, parameters = matched(files, selection)
            row = connection.execute(f"SELECT {COUNTS} FROM ({query})", parameters).fetchone()
        assert row is not None
        return Matches(row[0], row[1], int(row[2] or 0))

    def preview(self, selection: Selection, count: int) -> tuple[Matches, pa.Table]:
        """How many match, and the oldest of them; see `ContactStore.preview`."""
        files = self._usable_files()
        query, parameters = matched(files, selection)
        # Structs compare field by field. The oldest are kept while counting: memory does not grow with the matches.
        oldest = "{started_at: started_at, contact_id: contact_id, updated_at: updated_at, media_bytes: media_bytes}"
        with self._session(files) as connection:
            found = connection.sql(
                f"SELECT {COUNTS}, min({oldest}, {count:d}) FILTER (NOT root) FROM ({query})", params=parameters
            ).to_arrow_table()
        *counts, keys = found.columns
        contacts, roots, media_bytes = (column[0].as_py() for column in counts)
        first = pa.Table.from_struct_array(keys.combine_chunks().flatten())
        return Matches(contacts, roots, int(media_bytes or 0)), first.select(keys_schema().names).cast(keys_schema())

    def select_keys(self, selection: Selection, into: Path) -> Matches:
        """Write the matched contacts' keys in order; see `ContactStore.select_keys`."""
        files = self._usable_files()
        unfinished = into.with_name(f".{into.name}.unfinished")
        try:
            with scratch_faults(into):
                into.parent.mkdir(parents=True, exist_ok=True)
            with self._session(files) as connection:
                query, parameters = matched(files, selection)
                connection.execute(f"CREATE TEMP TABLE matched AS {query}", parameters)
                matches = self._checked(connection)
                target = str(unfinished).replace("'", "''")
                connection.execute(
                    "COPY (SELECT contact_id, CAST(started_at AS TIMESTAMPTZ) AS started_at,"
                    " CAST(updated_at AS TIMESTAMPTZ) AS updated_at, media_bytes FROM matched WHERE NOT root"
                    f" ORDER BY matched.started_at, contact_id) TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
                )
            with scratch_faults(into):
                unfinished.replace(into)
        finally:
            with suppress(OSError):  # it goes with the scratch folder
                unfinished.unlink()
        return matches

    def fetch(self, keys: pa.Table, metadata_keys: tuple[str, ...], *, with_text: bool) -> pa.Table:
        """The job table of these contacts; see `ContactStore.fetch`."""
        schema = canonical_schema(metadata_keys, with_text)
        if not keys.num_rows:
            return schema.empty_table()
        files = self._usable_files()
        columns = job_columns(with_text=with_text)
        source, parameters = relation(files, [*columns, METADATA])
        selected = [f"contacts.{column}" for column in columns]
        selected += [f"contacts.{METADATA}[?] AS m{position}" for position in range(len(metadata_keys))]
        wanted = pa.table({"contact_id": keys["contact_id"], "position": pa.arange(0, keys.num_rows)})
        span = pc.min_max(keys["started_at"]).as_py()
        with self._session(files) as connection:
            connection.register("wanted", wanted)
            # A file may hold nanoseconds that were rounded when the keys were made: one microsecond either way.
            table: pa.Table = connection.sql(
                f"WITH contacts AS NOT MATERIALIZED ({source}) SELECT {', '.join(selected)} FROM contacts"
                " JOIN wanted ON contacts.contact_id = wanted.contact_id"
                " WHERE contacts.started_at >= CAST(? AS TIMESTAMP) - INTERVAL 1 MICROSECOND"
                " AND contacts.started_at <= CAST(? AS TIMESTAMP) + INTERVAL 1 MICROSECOND ORDER BY wanted.position",
                params=[*parameters, *metadata_keys, *(span[side].replace(tzinfo=None) for side in ("min", "max"))],
            ).to_arrow_table()
        if table.num_rows > keys.num_rows or pc.count_distinct(table["contact_id"]).as_py() < table.num_rows:
            raise self._invalid([fetched_twice(FOLDER)])
        return table.rename_columns(schema.names).cast(schema)

    def _usable_files(self) -> list[CatalogFile]:
        files = self._inspected.files()
        problems = self._problems(files)
        if problems:
            raise self._invalid(problems)
        return files

    def _problems(self, files: Sequence[CatalogFile]) -> list[Problem]:
        problems = file_problems(files)
        unknown = [file for file in files if any(count < 0 for count in file.nulls.values())]
        return problems or (self._null_problems(unknown) if unknown else [])

    def _null_problems(self, files: Sequence[CatalogFile]) -> list[Problem]:
        source, parameters = relation(files, NEVER_NULL)
        counts = ", ".join(f"count(*) - count({column})" for column in NEVER_NULL)
        with self._session(files) as connection:
            row = connection.execute(f"SELECT {counts} FROM ({source})", parameters).fetchone()
        assert row is not None
        return [null_problem(FOLDER, column, count) for column, count in zip(NEVER_NULL, row, strict=True) if count]

    def _value_problems(self, files: Sequence[CatalogFile]) -> list[Problem]:
        if problems := [*oversized_cells(files, self._opened)]:
            return problems
        source, parameters = relation(files, ["started_at", "updated_at"])
        with self._session(files) as connection:
            read_every_value(connection, files)
            row = connection.execute(f"SELECT {OUT_OF_REACH} FROM ({source})", parameters).fetchone()
        assert row is not None
        return year_problems(FOLDER, *row)

    def _opened(self, file: CatalogFile) -> Path | BinaryIO:
        return self._catalog.open(FoundFile(file.name, file.address, ()))

    def _id_problems(self, files: Sequence[CatalogFile]) -> list[Problem]:
        source, parameters = relation(files, ["contact_id"])
        with self._session(files) as connection:
            return _duplicates(connection, f"({source})", parameters)

    def _checked(self, connection: duckdb.DuckDBPyConnection) -> Matches:
        """Counts of the table `matched`; refused when what matched cannot be exported."""
        row = connection.execute(f"SELECT {COUNTS}, {OUT_OF_REACH} FROM matched").fetchone()
        assert row is not None
        contacts, roots, media_bytes, bad_starts, bad_updates = row
        problems = year_problems(FOLDER, bad_starts, bad_updates)
        problems += _duplicates(connection, "matched", [])
        if problems:
            raise self._invalid(problems)
        return Matches(contacts, roots, int(media_bytes or 0))

    @contextmanager
    def _session(self, files: Sequence[CatalogFile]) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB for one call; its faults become the product's errors."""
        with self._connected() as connection:
            try:
                yield connection
            except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
                if isinstance(error, duckdb.OutOfMemoryException) and (
                    problems := [*oversized_cells(files, self._opened)]
                ):
                    raise self._invalid(problems) from None
                raise (self._catalog.fault() or duckdb_fault(error, self._root.uri, self._scratch)) from None
            except (duckdb.Error, BulkExportError, RuntimeError) as error:
                if reading := self._catalog.fault():
                    raise reading from None
                if not isinstance(error, duckdb.Error):
                    raise
                # DuckDB's own words may quote a contact, so only its kind of error is named.
                fault = f"the contacts cannot be read together (DuckDB {type(error).__name__})"
                with self._connected() as looking:
                    problems = damaged_columns(looking, files) or [Problem(FOLDER, 0, "", fault)]
                raise self._invalid(problems) from error

    @contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb_session(self._scratch, self._limits) as connection:
            self._catalog.attach(connection)
            yield connection

    def _invalid(self, problems: Sequence[Problem]) -> DefinitionError:
        return DefinitionError(
            "STORE_INVALID",
            f"the contact store {self._root.uri} cannot be used as it is",
            hint=_HINT,
            problems=problems,
        )


def _duplicates(connection: duckdb.DuckDBPyConnection, source: str, parameters: Sequence[object]) -> list[Problem]:
    return duplicate_problems(FOLDER, connection.execute(duplicates_in(source), parameters).fetchall())
