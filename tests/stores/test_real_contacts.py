"""The recorded contacts that lie beside the project, where they do: 406 contacts, as dirty as stores are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from bulk_export.contacts.parquet import ParquetContactStore
from bulk_export.definitions.models import Filter
from bulk_export.storage.local import LocalStorage

ROOT = Path(__file__).parents[3] / "shared" / "data" / "real-contacts"
pytestmark = pytest.mark.skipif(not ROOT.is_dir(), reason="the real contacts are not beside the project")
EVERYTHING = Filter(field="started_at", operator="on_or_after", value="2026-01-01")


@pytest.fixture
def store(tmp_path: Path) -> ParquetContactStore:
    return ParquetContactStore(LocalStorage(ROOT), scratch=tmp_path / "scratch")


def test_the_store_is_usable_and_whole(store: ParquetContactStore) -> None:
    report = store.check()
    assert (report.contacts, report.absent, report.ignored) == (406, (), ())


def test_everything_but_the_roots_is_selected_and_fetched(
    store: ParquetContactStore, select: Callable[..., Any], tmp_path: Path
) -> None:
    matches = store.select_keys(select(EVERYTHING), tmp_path / "keys.parquet")
    assert (matches.contacts, matches.roots) == (401, 5)
    assert matches.media_bytes > 0
    keys = pq.read_table(tmp_path / "keys.parquet")
    job = store.fetch(keys, ("account-key", "service-key"), with_text=True)
    assert job["contact_id"].to_pylist() == keys["contact_id"].to_pylist()
    assert job["metadata.account-key"].null_count < 401


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("contact_type", "is_any_of", ["CALL", "CHAT"]),
        ("has_audio", "is", True),
        ("text", "any_words", "restaurant refund"),
        ("started_at", "between", ["2026-10-15", "2026-11-05"]),
        ("last_name", "contains", "a"),
    ],
)
def test_a_filter_and_its_opposite_share_the_contacts_between_them(
    field: str, operator: str, value: object, store: ParquetContactStore, select: Callable[..., Any]
) -> None:
    some = store.count(select(Filter(field=field, operator=operator, value=value)))
    assert 0 < some.contacts < 401
    selection = select(Filter(field=field, operator=operator, value=value))
    assert store.count(selection.negated()).contacts == 401 - some.contacts
