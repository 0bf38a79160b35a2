"""Small contact stores of every kind, made for one test each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk_export.contacts.base import ContactStore
from bulk_export.contacts.parquet import ParquetContactStore
from bulk_export.contacts.postgres import PostgresContactStore
from bulk_export.contacts.postgres_session import Database
from bulk_export.definitions.models import Filter
from bulk_export.errors import DefinitionError
from bulk_export.filters.compile import compile_filters
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.filters.selection import Selection
from bulk_export.storage.local import LocalStorage
from postgres_server import PostgresServer, load_table, postgres_server, sql_type  # noqa: F401

AS_OF = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
TYPES: Mapping[str, pa.DataType] = {
    "contact_id": pa.int64(),
    "started_at": MOMENT,
    "updated_at": MOMENT,
    "metadata": pa.map_(pa.string(), pa.string()),
    "is_root": pa.bool_(),
    "audio_bytes": pa.int64(),
    "screen_bytes": pa.int64(),
    "score": pa.int64(),
    "silence_ratio": pa.float64(),
}
EVERYTHING = Filter(field="started_at", operator="on_or_after", value="2000-01-01")

Row = Mapping[str, object]


def contact(contact_id: int, **fields: object) -> dict[str, object]:
    """A contact with the required columns; override what the test is about."""
    plain = {"contact_id": contact_id, "started_at": datetime(2026, 11, 1, 12, tzinfo=UTC)}
    return {**plain, "time_zone": "UTC", "contact_type": "CALL", **fields}


def table(rows: Sequence[Row], **types: pa.DataType) -> pa.Table:
    """Rows as a table; a column named in `types` has that type."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    known = {**TYPES, **types}
    return pa.table({name: pa.array([row.get(name) for row in rows], known.get(name, pa.string())) for name in names})


class Stores:
    """Puts contacts into a store, file by file, and opens it; a file written again replaces the first."""

    root: Path

    def write(self, rows: Sequence[Row] | pa.Table, file: str = "contacts.parquet", **types: pa.DataType) -> None:
        raise NotImplementedError

    def open(self) -> ContactStore:
        raise NotImplementedError

    def selection(self, *filters: Filter, **options: object) -> Selection:
        return selection(*filters, dialect=self.open().dialect, **options)

    def keys(self, *filters: Filter, **options: object) -> pa.Table:
        into = self.root / "keys.parquet"
        self.open().select_keys(self.selection(*filters, **options), into)
        return pq.read_table(into)

    def ids(self, *filters: Filter, **options: object) -> list[int]:
        found: list[int] = self.keys(*filters, **options)["contact_id"].to_pylist()
        return found

    def refusal(self) -> str:
        """The one message that check and select_keys both give."""
        store, into, said = self.open(), self.root / "never.parquet", []
        attempts: list[Callable[[], object]] = [store.check, lambda: store.select_keys(self.selection(), into)]
        for attempt in attempts:
            with pytest.raises(DefinitionError) as caught:
                attempt()
            assert caught.value.code == "STORE_INVALID"
            said.append("; ".join(map(str, caught.value.problems)) or caught.value.message)
        assert said[0] == said[1]
        assert not into.exists()
        return said[0]


class ParquetStores(Stores):
    """Catalogues below one directory."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, rows: Sequence[Row] | pa.Table, file: str = "contacts.parquet", **types: pa.DataType) -> None:
        path = self.root / "contacts" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows if isinstance(rows, pa.Table) else table(rows, **types), path)

    def open(self, **limits: object) -> ParquetContactStore:
        return ParquetContactStore(LocalStorage(self.root), scratch=self.root / "scratch", **limits)  # type: ignore[arg-type]


class PostgresStores(Stores):
    """One table `contacts` in a schema of its own; files are only what is written at once."""

    def __init__(self, root: Path, server: PostgresServer) -> None:
        self.root = root
        self.server = server
        self.schema = f"test_{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE SCHEMA {self.schema}")
        self._files: dict[str, pa.Table] = {}

    def execute(self, *statements: str) -> None:
        """Run statements as the owner; unqualified names are of the test's schema."""
        with self.server.connect() as connection:
            connection.execute(f"SET search_path = {self.schema}, public")
            for statement in statements:
                connection.execute(statement)

    def write(self, rows: Sequence[Row] | pa.Table, file: str = "contacts.parquet", **types: pa.DataType) -> None:
        self._files[file] = rows if isinstance(rows, pa.Table) else table(rows, **types)
        whole = pa.concat_tables(self._files.values(), promote_options="default")
        columns = ", ".join(f'"{field.name}" {sql_type(field.type)}' for field in whole.schema)
        self.execute("DROP TABLE IF EXISTS contacts", f"CREATE TABLE contacts ({columns})")
        load_table(self.server, f"{self.schema}.contacts", whole)

    def open(self, *, user: str = "postgres", table: str = "", **changes: Any) -> PostgresContactStore:
        url = f"{self.server.url_of(user)}?options=-csearch_path%3D{self.schema}"
        database = Database(**{"url": url, "table": table or "contacts", "statement_timeout_s": 60} | changes)
        return PostgresContactStore(database, LocalStorage(self.root), scratch=self.root / "scratch")


def selection(*filters: Filter, metadata: tuple[str, ...] = ("account-key",), **options: object) -> Selection:
    """Compiled filters; everything when none is given."""
    settings = {"as_of": AS_OF, "zone": "UTC", **options}
    return compile_filters(filters or (EVERYTHING,), catalog=field_catalog(metadata), **settings)  # type: ignore[arg-type]


@pytest.fixture
def parquet_stores(tmp_path: Path) -> ParquetStores:
    return ParquetStores(tmp_path)


@pytest.fixture
def postgres_stores(tmp_path: Path, postgres_server: PostgresServer) -> Iterator[PostgresStores]:  # noqa: F811
    stores = PostgresStores(tmp_path, postgres_server)
    yield stores
    stores.execute(f"DROP SCHEMA {stores.schema} CASCADE")


@pytest.fixture(params=["parquet", "postgres"])
def stores(request: pytest.FixtureRequest) -> Stores:
    """Each kind of store in turn."""
    found: Stores = request.getfixturevalue(f"{request.param}_stores")
    return found


@pytest.fixture
def make_contact() -> Callable[..., dict[str, object]]:
    return contact


@pytest.fixture
def select() -> Callable[..., Selection]:
    return selection
