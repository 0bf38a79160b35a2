"""A Parquet contact store: what is read, what is refused, and that keys and job tables agree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk_export.contacts import open_contact_store
from bulk_export.contacts.duckdb_session import duckdb_session
from bulk_export.contacts.parquet import ParquetContactStore
from bulk_export.definitions.contact_stores import ParquetStore
from bulk_export.definitions.models import Filter
from bulk_export.errors import BulkExportError, DefinitionError
from bulk_export.filters.compile import compile_filters
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.storage.local import LocalStorage

Contact = Callable[..., dict[str, object]]
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
def stores(parquet_stores: Any) -> Any:
    return parquet_stores


# --- files that differ -------------------------------------------------------------------------------------------


def test_files_may_lie_at_any_depth_and_lack_columns(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1, score=5)], "year=2026/month=10/a.parquet")
    stores.write([make_contact(2, last_name="Ñandú")], "year=2026/month=11/deep/b.parquet")
    stores.write([make_contact(3, score=7, last_name="X")], "c.parquet")
    assert stores.ids() == [1, 2, 3]
    assert stores.ids(Filter(field="score", operator="is_empty")) == [2]
    fetched = stores.open().fetch(stores.keys(), (), with_text=False)
    assert fetched["score"].to_pylist() == [5, None, 7]
    assert fetched["last_name"].to_pylist() == [None, "Ñandú", "X"]


def test_a_directory_key_fills_a_column_the_files_lack(stores: Any, make_contact: Contact) -> None:
    for number, agent in ((1, "0012"), (2, "a b")):
        row = make_contact(number)
        del row["contact_type"]
        stores.write([row], f"contact_type=EMAIL/agent_id={agent.replace(' ', '%20')}/part.parquet")
    fetched = stores.open().fetch(stores.keys(), (), with_text=False)
    assert fetched["agent_id"].to_pylist() == ["0012", "a b"]
    assert fetched["contact_type"].to_pylist() == ["EMAIL", "EMAIL"]
    assert stores.open().check().absent


def test_unfinished_and_hidden_files_are_not_read(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1)])
    for name in (".b.parquet", "_temporary/b.parquet", ".staging/b.parquet"):
        stores.write([make_contact(2)], name)
    assert stores.ids() == [1]


def test_names_that_look_like_patterns_are_only_names(tmp_path: Path, make_contact: Contact) -> None:
    from bulk_export.contacts.parquet import ParquetContactStore
    from bulk_export.storage.local import LocalStorage

    root = tmp_path / "it's [a]*store?"
    (root / "contacts" / "[b]").mkdir(parents=True)
    row = {name: [value] for name, value in make_contact(1).items()}
    pq.write_table(pa.table(row), root / "contacts" / "[b]" / "x*.parquet")
    store = ParquetContactStore(LocalStorage(root), scratch=root / "scratch's")
    assert store.check().contacts == 1


LOSSLESS = [
    ("contact_id", pa.int32(), 1, 1),
    ("contact_id", pa.uint32(), 1, 1),
    ("last_name", pa.large_string(), "a", "a"),
    ("last_name", pa.dictionary(pa.int32(), pa.string()), "a", "a"),
    ("last_name", pa.null(), None, None),
    ("score", pa.int8(), 7, 7),
    ("score", pa.null(), None, None),
    ("silence_ratio", pa.float32(), 0.3, 0.3),
    ("silence_ratio", pa.float64(), float("nan"), None),
    ("silence_ratio", pa.float32(), float("nan"), None),
    ("silence_ratio", pa.int64(), 1, 1.0),
    ("started_at", pa.timestamp("us"), AT, AT),
    ("started_at", pa.timestamp("ms", tz="UTC"), AT, AT),
    ("started_at", pa.timestamp("ns"), AT, AT),
    ("started_at", pa.timestamp("ns", tz="UTC"), AT, AT),
    ("started_at", pa.timestamp("s"), AT, AT),
    ("started_at", pa.timestamp("us", tz="America/Bogota"), AT, AT),
    ("updated_at", pa.null(), None, None),
    ("date_evaluated", pa.date64(), date(2026, 11, 1), date(2026, 11, 1)),
    ("date_evaluated", pa.null(), None, None),
    ("hr", pa.bool_(), True, True),
]


@pytest.mark.parametrize(("column", "held", "value", "expected"), LOSSLESS)
def test_types_that_hold_the_same_values_are_accepted(
    column: str, held: pa.DataType, value: Any, expected: Any, stores: Any, make_contact: Contact
) -> None:
    if pa.types.is_timestamp(held) and held.tz is None:
        value = value.replace(tzinfo=None)
    stores.write([{**make_contact(1), column: value}], "odd.parquet", **{column: held})
    # Beside a file of the plain types: the two must form one relation.
    stores.write([make_contact(2, started_at=AT + timedelta(hours=1))], "plain.parquet")
    stores.open().check()
    keys = stores.keys(Filter(field="started_at", operator="on", value="2026-11-01"))
    fetched = stores.open().fetch(keys, (), with_text=False)
    assert fetched["contact_id"].to_pylist() == [1, 2]
    assert fetched[column].to_pylist()[0] == expected


@pytest.mark.parametrize(
    "held",
    [
        pa.map_(pa.string(), pa.string()),
        pa.map_(pa.large_string(), pa.large_string()),
        pa.map_(pa.string(), pa.dictionary(pa.int32(), pa.string())),
    ],
)
def test_metadata_becomes_one_column_per_exportable_key(held: pa.DataType, stores: Any, make_contact: Contact) -> None:
    values: list[Any] = [{"account-key": "A", "other": "B"}, {"account-key": None}, {}, None]
    rows = [make_contact(n, metadata=value and list(value.items())) for n, value in enumerate(values)]
    metadata = pa.array([row["metadata"] for row in rows], pa.map_(pa.string(), pa.string()))
    plain = pa.Table.from_pylist([{k: v for k, v in row.items() if k != "metadata"} for row in rows])
    stores.write(plain.append_column("metadata", metadata.cast(held) if "dictionary" not in str(held) else metadata))
    fetched = stores.open().fetch(stores.keys(), ("other", "account-key"), with_text=False)
    assert fetched.schema.names[-2:] == ["metadata.other", "metadata.account-key"]
    assert fetched["metadata.account-key"].to_pylist() == ["A", None, None, None]
    assert fetched["metadata.other"].to_pylist() == ["B", None, None, None]


def test_nanoseconds_do_not_lose_a_contact_between_keys_and_fetch(stores: Any, make_contact: Contact) -> None:
    nanoseconds = int(AT.timestamp()) * 10**9
    rows = pa.table(
        {
            "contact_id": [1, 2, 3],
            "started_at": pa.array([nanoseconds + extra for extra in (1, 499, 999)], pa.timestamp("ns", tz="UTC")),
            "time_zone": ["UTC"] * 3,
            "contact_type": ["CALL"] * 3,
        }
    )
    stores.write(rows)
    keys = stores.keys()
    for number in range(3):
        fetched = stores.open().fetch(keys.slice(number, 1), (), with_text=False)
        assert fetched["contact_id"].to_pylist() == [number + 1]


# --- refusing ----------------------------------------------------------------------------------------------------


WRONG = [
    ("contact_id", pa.string(), "is string, not whole number (int64)"),
    ("contact_id", pa.uint64(), "is uint64, not whole number (int64)"),
    ("started_at", pa.string(), "is string, not timestamp"),
    ("updated_at", pa.date32(), "is date32[day], not timestamp"),
    ("last_name", pa.binary(), "is binary, not text"),
    ("last_name", pa.int64(), "is int64, not text"),
    ("score", pa.float64(), "is double, not whole number (int64)"),
    ("call_duration", pa.duration("s"), "is duration[s], not whole number (int64)"),
    ("silence_ratio", pa.string(), "is string, not decimal number (float64)"),
    ("net_promoter_score", pa.decimal128(10, 2), "is decimal128(10, 2), not decimal number (float64)"),
    ("hr", pa.int8(), "is int8, not yes/no (bool)"),
    ("date_evaluated", pa.timestamp("us"), "is timestamp[us], not date"),
    ("metadata", pa.string(), "is string, not map of text to text"),
]


@pytest.mark.faults("rows")
@pytest.mark.parametrize(("column", "held", "message"), WRONG)
def test_a_column_of_the_wrong_type_is_refused_by_name(
    column: str, held: pa.DataType, message: str, stores: Any, make_contact: Contact
) -> None:
    rows = pa.Table.from_pylist([make_contact(1)])
    rows = rows.drop_columns([column] if column in rows.schema.names else [])
    stores.write(rows.append_column(column, pa.nulls(1, held)))
    assert f"contacts/contacts.parquet {column}: {message}" in stores.refusal()


def test_every_problem_is_told_at_once(stores: Any, make_contact: Contact) -> None:
    row = make_contact(1, score="high")
    del row["time_zone"]
    stores.write([row], "a.parquet", score=pa.string())
    stores.write([{**row, "contact_id": 3}], "b.parquet", score=pa.string())
    stores.write([make_contact(2, hr="yes")], "c.parquet", hr=pa.string())
    (stores.root / "contacts" / "d.parquet").write_bytes(b"PAR1 is not enough")
    (stores.root / "contacts" / "e.parquet").write_bytes(b"")
    said = stores.refusal()
    assert "contacts/a.parquet time_zone: is required and missing (and in 1 more files)" in said
    assert "contacts/a.parquet score: is string, not whole number (int64) (and in 1 more files)" in said
    assert "contacts/c.parquet hr: is string, not yes/no (bool)" in said
    assert re.search(r"contacts/d\.parquet: is not a readable Parquet file", said)
    assert re.search(r"contacts/e\.parquet: is not a readable Parquet file", said)


@pytest.mark.faults("rows")
@pytest.mark.parametrize("column", ["contact_id", "started_at"])
@pytest.mark.parametrize("statistics", [True, False])
def test_a_contact_without_identity_or_start_is_refused(
    column: str, statistics: bool, stores: Any, make_contact: Contact
) -> None:
    rows = [make_contact(1), {**make_contact(2), column: None}]
    stores.write([])
    from_rows = pa.Table.from_pylist(rows)
    pq.write_table(from_rows, stores.root / "contacts" / "contacts.parquet", write_statistics=statistics)
    assert f"{column}: is null in 1" in stores.refusal()


@pytest.mark.faults("rows")
def test_columns_whose_names_differ_only_in_case_are_refused(stores: Any, make_contact: Contact) -> None:
    stores.write(pa.Table.from_pylist([{**make_contact(1), "score": 1, "SCORE": 2}]))
    assert "score: is there more than once" in stores.refusal()


@pytest.mark.faults("rows")
def test_a_start_no_calendar_holds_is_refused(stores: Any, make_contact: Contact) -> None:
    rows = pa.Table.from_pylist([make_contact(1)]).drop_columns(["started_at"])
    stores.write(rows.append_column("started_at", pa.array([2**62], pa.timestamp("us", tz="UTC"))))
    with pytest.raises(DefinitionError, match="started_at: is outside the years 1 to 9999 in 1 contacts"):
        stores.keys()


@pytest.mark.faults("rows")
def test_text_that_is_not_utf8_is_refused_by_file_and_column_without_quoting_it(
    stores: Any, make_contact: Contact
) -> None:
    stores.write([make_contact(1, last_name="fine")], "good.parquet")
    stores.write([make_contact(2, last_name="QuispeMamani")], "bad.parquet")
    path = stores.root / "contacts" / "bad.parquet"
    pq.write_table(pq.read_table(path), path, compression="none", use_dictionary=False, write_statistics=False)
    path.write_bytes(path.read_bytes().replace(b"QuispeMamani", b"Quispe\xff\xfeMama"))
    with pytest.raises(DefinitionError, match=r"contacts/bad\.parquet last_name: cannot be read") as caught:
        stores.keys(Filter(field="last_name", operator="contains", value="e"))
    assert caught.value.code == "STORE_INVALID"
    assert "Quispe" not in str(caught.value)


@pytest.mark.faults("rows")
def test_damaged_pages_are_refused_by_file(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(n, last_name=f"name {n}") for n in range(1000)])
    path = stores.root / "contacts" / "contacts.parquet"
    content = bytearray(path.read_bytes())
    content[4:2000] = b"\xff" * 1996
    path.write_bytes(content)
    with pytest.raises(BulkExportError, match=r"STORE_(INVALID|UNREACHABLE)"):
        stores.keys()


def test_a_store_without_files_or_folder_says_where_it_looked(stores: Any) -> None:
    assert "has no folder 'contacts'" in stores.refusal()
    (stores.root / "contacts" / "2026").mkdir(parents=True)
    assert "has no Parquet file below 'contacts'" in stores.refusal()


def test_a_big_selection_stays_within_a_small_memory_limit(stores: Any, select: Any, tmp_path: Path) -> None:
    count = 600_000
    base = int(AT.timestamp()) * 10**6
    stores.write(
        pa.table(
            {
                "contact_id": pa.array(range(count), pa.int64()),
                "started_at": pa.array([base + n * 7919 % 10**9 for n in range(count)], pa.timestamp("us", tz="UTC")),
                "time_zone": ["UTC"] * count,
                "contact_type": ["CALL"] * count,
            }
        )
    )
    store = stores.open(memory_limit="60MB", threads=2)
    assert store.select_keys(select(), tmp_path / "keys.parquet").contacts == count
    keys = pq.read_table(tmp_path / "keys.parquet", columns=["started_at", "contact_id"])
    assert keys.equals(keys.sort_by([("started_at", "ascending"), ("contact_id", "ascending")]))


# --- opening -----------------------------------------------------------------------------------------------------


def test_settings_open_a_local_store_relative_to_their_folder(
    stores: Any, make_contact: Contact, tmp_path: Path
) -> None:
    stores.write([make_contact(1)])
    settings = ParquetStore(type="parquet", uri=f"../{tmp_path.name}")
    store = open_contact_store(settings, base=tmp_path, scratch=tmp_path / "scratch")
    assert store.check().contacts == 1
    assert store.objects.uri == tmp_path.as_uri()


@pytest.mark.parametrize(
    ("operator", "value", "found"), [("greater_than", 0, []), ("at_most", 1, [1, 2]), ("is_empty", None, [3])]
)
def test_nan_is_no_value_even_where_the_files_statistics_hide_it(
    tmp_path: Path, operator: str, value: object, found: list[int]
) -> None:
    """A column whose other values are all 0: its Parquet statistics say 0 to 0, NaN left out."""
    (tmp_path / "contacts").mkdir()
    start = datetime(2026, 11, 1, tzinfo=UTC)
    table = pa.table(
        {
            "contact_id": [1, 2, 3],
            "started_at": [start, start, start],
            "time_zone": ["UTC"] * 3,
            "contact_type": ["CALL"] * 3,
            "silence_ratio": [0.0, 0.0, float("nan")],
        }
    )
    pq.write_table(table, tmp_path / "contacts/all.parquet")
    store = ParquetContactStore(LocalStorage(tmp_path), scratch=tmp_path / "scratch")
    selection = compile_filters(
        [Filter(field="silence_ratio", operator=operator, value=value)],
        as_of=start,
        zone="UTC",
        catalog=field_catalog(()),
    )
    store.select_keys(selection, tmp_path / "keys.parquet")
    assert pq.read_table(tmp_path / "keys.parquet")["contact_id"].to_pylist() == found


# --- what is read ------------------------------------------------------------------------------------------------


def test_a_preview_reads_the_catalogue_once(
    stores: Any, make_contact: Contact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One statement that names the files once: words in bodies have no index, and reading them is what takes long."""
    from bulk_export.contacts import parquet

    for number in range(3):
        stores.write([make_contact(number, text="charged twice")], f"{number}.parquet")
    statements: list[str] = []

    @contextmanager
    def watched(*args: Any) -> Iterator[Any]:
        with duckdb_session(*args) as connection:
            yield Watched(connection, statements)

    monkeypatch.setattr(parquet, "duckdb_session", watched)
    matches, keys = stores.open().preview(stores.selection(Filter(field="text", operator="phrase", value="twice")), 2)
    assert (matches.contacts, keys.num_rows) == (3, 2)
    assert [statement.count("read_parquet") for statement in statements] == [1]


class Watched:
    """A connection that notes what it is asked."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, statements: list[str]) -> None:
        self._connection, self._statements = connection, statements

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._connection, name)
        if name not in {"sql", "execute", "query"}:
            return asked
        return lambda query, *rest, **named: self._statements.append(query) or asked(query, *rest, **named)
