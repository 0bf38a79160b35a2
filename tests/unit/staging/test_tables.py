"""A staged table is read whole, or counts as not written."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from bulk_export.errors import TransientError
from bulk_export.staging.tables import is_whole, read_table, write_table
from bulk_export.storage.local import LocalStorage


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path)


@pytest.mark.parametrize("rows", [0, 1, 10_000])
def test_a_table_of_any_size_is_whole_and_comes_back(storage: LocalStorage, rows: int) -> None:
    table = pa.table({"contact_id": pa.array(range(rows), pa.int64())})

    write_table(storage, "a/keys.parquet", table)

    assert is_whole(storage, "a/keys.parquet")
    assert read_table(storage, "a/keys.parquet").equals(table)


def test_one_that_is_absent_or_was_cut_anywhere_is_not_whole(storage: LocalStorage) -> None:
    assert not is_whole(storage, "keys.parquet")
    write_table(storage, "keys.parquet", pa.table({"contact_id": [1, 2, 3]}))
    content = storage.path("keys.parquet").read_bytes()

    for length in range(len(content)):
        storage.put("keys.parquet", content[:length])
        assert not is_whole(storage, "keys.parquet"), length


def test_one_whose_middle_is_lost_is_removed_when_it_is_read(storage: LocalStorage) -> None:
    write_table(storage, "keys.parquet", pa.table({"contact_id": list(range(1000))}))
    content = storage.path("keys.parquet").read_bytes()
    storage.put("keys.parquet", content[:100] + bytes(200) + content[300:])

    with pytest.raises(TransientError, match="STAGING_LOST"):
        read_table(storage, "keys.parquet")

    assert storage.find("keys.parquet") is None


def test_one_that_is_absent_is_no_loss_of_the_disk(storage: LocalStorage) -> None:
    with pytest.raises(FileNotFoundError):
        read_table(storage, "keys.parquet")
