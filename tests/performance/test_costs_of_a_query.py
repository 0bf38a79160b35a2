"""How much of a catalogue a query reads: the columns and row groups it needs, and no more."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bulk_export_sample import make_sample_store

pytestmark = pytest.mark.slow

UNTIL = datetime(2026, 11, 23, tzinfo=UTC)
# Prints the bytes that selecting, and then fetching the first hundred, read from the disk's cache.
PROGRAM = """
import sys, psutil, pyarrow.parquet as pq
from datetime import datetime
from pathlib import Path
from bulk_export.contacts.parquet import ParquetContactStore
from bulk_export.definitions.models import Filter
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.filters.compile import compile_filters
from bulk_export.storage.local import LocalStorage

root, scratch, since, until, text = sys.argv[1:]
filters = [{"field": "started_at", "operator": "between", "value": [since, until]}]
filters += [{"field": "text", "operator": "any_words", "value": ["refund"]}] if text else []
selection = compile_filters([Filter.model_validate(one) for one in filters], as_of=datetime.fromisoformat(until),
    zone="UTC", catalog=field_catalog(()), dialect="duckdb")
store = ParquetContactStore(LocalStorage(Path(root)), scratch=Path(scratch))
read = lambda: psutil.Process().io_counters().read_chars
def costs(work):
    before = read()
    work()
    return read() - before
keys = Path(scratch) / "keys.parquet"
store.count(selection)  # loads what is loaded late
selecting = costs(lambda: store.select_keys(selection, keys))
first = pq.ParquetFile(keys).read().slice(0, 100)
store.fetch(first, (), with_text=False)
fetching = costs(lambda: store.fetch(first, (), with_text=False))
print(first.num_rows, selecting, fetching)
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("query") / "store"
    make_sample_store(root, contacts=60_000, seed=3, until=UNTIL, days=360, media=False)
    return root


def costs(store: Path, scratch: Path, days: int, *, text: bool = False) -> tuple[int, int, int]:
    """Rows of the first job, bytes read to select, bytes read to fetch it."""
    since = UNTIL - timedelta(days=days)
    arguments = [str(store), str(scratch), since.isoformat(), UNTIL.isoformat(), "text" if text else ""]
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    rows, selecting, fetching = map(int, done.stdout.split())
    return rows, selecting, fetching


def size(store: Path, months: str = "*") -> int:
    return sum(path.stat().st_size for path in (store / "contacts").glob(f"year=*/month={months}/*.parquet"))


def test_selecting_reads_the_columns_of_keys_and_filters_only(store: Path, tmp_path: Path) -> None:
    rows, without, _ = costs(store, tmp_path, 360)
    _, with_text, _ = costs(store, tmp_path, 360, text=True)
    assert rows == 100
    assert 0 < without < size(store) / 3  # a few columns of sixty, among them the longest numbers
    assert without < with_text < size(store)


def test_months_that_cannot_match_are_not_read(store: Path, tmp_path: Path) -> None:
    rows, selecting, fetching = costs(store, tmp_path, 15)
    assert rows == 100
    assert 0 < selecting < size(store) / 3
    assert 0 < fetching < size(store) / 2
