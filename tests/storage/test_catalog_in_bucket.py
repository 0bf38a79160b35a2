"""A contact store in a bucket is read in place: the answers of a local one, for a fraction of its bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk_export.contacts.parquet import ParquetContactStore
from bulk_export.errors import DefinitionError, RefusedError, TransientError
from bulk_export.filters.selection import Selection
from bulk_export.storage.base import ByteRange
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.retry import RetryPolicy
from bulk_export.storage.s3 import S3Storage
from fault_proxy import DENIED, SLOW_DOWN, FaultProxy, truncate

Open = Callable[..., S3Storage]
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
CONTACTS = 60_000


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 20 MB in two files, ordered by time."""
    root = tmp_path_factory.mktemp("catalogue")
    random = np.random.default_rng(1)
    for half in (0, 1):
        ids = np.arange(half * CONTACTS // 2, (half + 1) * CONTACTS // 2)
        table = pa.table(
            {
                "contact_id": pa.array(ids, pa.int64()),
                "started_at": pa.array([FIRST + timedelta(minutes=int(n)) for n in ids], pa.timestamp("us", "UTC")),
                "time_zone": pa.array(["UTC"] * len(ids)),
                "contact_type": pa.array(["CALL" if n % 3 else "CHAT" for n in ids]),
                "call_duration": pa.array(random.integers(0, 3600, len(ids)), pa.int64()),
                "text": pa.array([random.bytes(170).hex() for _ in ids]),
            }
        )
        folder = root / f"contacts/year=2026/half={half}"
        folder.mkdir(parents=True)
        pq.write_table(table, folder / "part[0].parquet", row_group_size=5_000)
    assert sum(path.stat().st_size for path in root.rglob("*.parquet")) > 10_000_000
    return root


@pytest.fixture
def uploaded(opened: Open, catalogue: Path) -> None:
    for path in catalogue.rglob("*.parquet"):
        opened("calls").put(path.relative_to(catalogue).as_posix(), path)


def narrow() -> Selection:
    return Selection(
        "started_at >= ? AND started_at < ? AND contact_type = ?",
        (FIRST.replace(tzinfo=None), (FIRST + timedelta(days=2)).replace(tzinfo=None), "CALL"),
    )


def test_a_bucket_answers_as_a_directory_does(
    opened: Open, uploaded: None, catalogue: Path, tmp_path: Path, proxy: FaultProxy
) -> None:
    local = ParquetContactStore(LocalStorage(catalogue), scratch=tmp_path)
    remote = ParquetContactStore(opened("calls", endpoint=proxy.endpoint), scratch=tmp_path)

    assert remote.check() == local.check()
    assert remote.count(narrow()) == local.count(narrow())
    tables = []
    for name, store in (("local", local), ("remote", remote)):
        store.select_keys(narrow(), tmp_path / name)
        keys = pq.read_table(tmp_path / name)
        tables.append(store.fetch(keys, (), with_text=True))
    assert tables[0].num_rows == 1920
    assert tables[0].equals(tables[1])


def test_a_narrow_query_reads_a_fraction_of_the_catalogue(
    opened: Open, uploaded: None, catalogue: Path, tmp_path: Path, proxy: FaultProxy
) -> None:
    size = sum(path.stat().st_size for path in catalogue.rglob("*.parquet"))
    store = ParquetContactStore(opened("calls", endpoint=proxy.endpoint), scratch=tmp_path)

    store.count(narrow())
    counted = proxy.bytes_out
    proxy.calm()
    store.select_keys(narrow(), tmp_path / "keys")
    keys = pq.read_table(tmp_path / "keys")
    proxy.calm()
    store.fetch(keys.slice(0, 500), (), with_text=True)
    fetched = proxy.bytes_out

    assert counted < size / 10, f"{counted} of {size}"  # two columns of one row group, and footers
    assert fetched < size / 5, f"{fetched} of {size}"  # every column, of that row group alone
    print(f"catalogue {size}, count {counted}, fetch {fetched}")


@pytest.mark.faults("object-storage")
def test_reading_survives_a_bad_day(
    opened: Open, uploaded: None, catalogue: Path, tmp_path: Path, proxy: FaultProxy
) -> None:
    proxy.plan(SLOW_DOWN, "GET", every=3)
    proxy.plan(truncate, "GET", every=5)
    remote = ParquetContactStore(opened("calls", endpoint=proxy.endpoint), scratch=tmp_path)

    assert remote.count(narrow()) == ParquetContactStore(LocalStorage(catalogue), scratch=tmp_path).count(narrow())


@pytest.mark.faults("object-storage")
def test_a_bucket_that_goes_away_under_a_query_is_no_fault_of_the_store(
    opened: Open, uploaded: None, tmp_path: Path, proxy: FaultProxy
) -> None:
    storage = opened("calls", endpoint=proxy.endpoint, retry_policy=RetryPolicy(window_s=0.3, timeout_s=1, connect_s=1))
    store = ParquetContactStore(storage, scratch=tmp_path)
    store.check()
    proxy.plan(SLOW_DOWN, "GET", part=".parquet")

    with pytest.raises(TransientError, match=r"STORE_UNREACHABLE.*SlowDown"):
        store.count(Selection("text LIKE '%a%'", ()))


def test_a_store_that_may_not_be_read_says_so(opened: Open, uploaded: None, tmp_path: Path, proxy: FaultProxy) -> None:
    with pytest.raises(RefusedError, match=r"STORE_DENIED.*AccessDenied"):
        ParquetContactStore(opened("calls", who="dropper"), scratch=tmp_path).check()
    proxy.plan(DENIED, "GET")
    with pytest.raises(RefusedError, match=r"STORE_DENIED.*AccessDenied"):
        ParquetContactStore(opened("calls", endpoint=proxy.endpoint), scratch=tmp_path).check()


def test_a_prefix_without_a_catalogue_says_so(opened: Open, tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match=r"STORE_INVALID.*no Parquet file below 'contacts'"):
        ParquetContactStore(opened("calls"), scratch=tmp_path).check()


def test_a_file_replaced_between_listing_and_reading_is_never_mixed(opened: Open, uploaded: None) -> None:
    storage = opened("calls")
    entry = next(storage.list("contacts/"))
    storage.put(entry.key, b"another file by now")

    with pytest.raises(TransientError, match=r"STORAGE_UNREACHABLE"):
        opened("calls", retry_policy=RetryPolicy(window_s=0)).open(entry.key, ByteRange(0, 5, entry.version))
