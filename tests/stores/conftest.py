"""Small contact stores written to disk for one test each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk_export.contacts.parquet import ParquetContactStore
from bulk_export.definitions.models import Filter
from bulk_export.filters.catalogue import catalogue
from bulk_export.filters.compile import Selection, compile_filters
from bulk_export.storage.local import LocalStorage

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
    """Writes catalogues below one directory and opens them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, rows: Sequence[Row] | pa.Table, file: str = "contacts.parquet", **types: pa.DataType) -> None:
        path = self.root / "contacts" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows if isinstance(rows, pa.Table) else table(rows, **types), path)

    def open(self, **limits: object) -> ParquetContactStore:
        return ParquetContactStore(LocalStorage(self.root), scratch=self.root / "scratch", **limits)  # type: ignore[arg-type]

    def keys(self, *filters: Filter, **options: object) -> pa.Table:
        into = self.root / "keys.parquet"
        self.open().select_keys(selection(*filters, **options), into)
        return pq.read_table(into)

    def ids(self, *filters: Filter, **options: object) -> list[int]:
        found: list[int] = self.keys(*filters, **options)["contact_id"].to_pylist()
        return found


def selection(*filters: Filter, metadata: tuple[str, ...] = ("account-key",), **options: object) -> Selection:
    """Compiled filters; everything when none is given."""
    settings = {"as_of": AS_OF, "zone": "UTC", **options}
    return compile_filters(filters or (EVERYTHING,), catalogue=catalogue(metadata), **settings)  # type: ignore[arg-type]


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    return Stores(tmp_path)


@pytest.fixture
def make_contact() -> Callable[..., dict[str, object]]:
    return contact


@pytest.fixture
def select() -> Callable[..., Selection]:
    return selection
