"""A catalogue is read as its owner meant it, or refused by name: directories, links, lake tables, names, types."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from obstore.store import MemoryStore

from bulk_export.contacts.parquet import ParquetContactStore
from bulk_export.definitions.models import Filter
from bulk_export.errors import DefinitionError
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.objects import ObjectStorage

Contact = Callable[..., dict[str, object]]


@pytest.fixture
def stores(parquet_stores: Any) -> Any:
    return parquet_stores


def fetched(stores: Any, column: str) -> list[object]:
    values: list[object] = stores.open().fetch(stores.keys(), (), with_text=False)[column].to_pylist()
    return values


def refusals(stores: Any) -> list[str]:
    """What the store is refused for; a selection says the same as a check."""
    with pytest.raises(DefinitionError, match="STORE_INVALID") as checked:
        stores.open().check()
    with pytest.raises(DefinitionError, match="STORE_INVALID") as selected:
        stores.keys()
    assert checked.value.problems == selected.value.problems
    return [f"{problem.file} {problem.where} {problem.message}" for problem in checked.value.problems]


# --- key=value directories ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "written", "value"),
    [
        ("recycled", "true", True),
        ("recycled", "False", False),
        ("recycled", "1", True),
        ("recycled", "__HIVE_DEFAULT_PARTITION__", None),
        ("recycled", "", None),
        ("score", "007", 7),
        ("score", "-12", -12),
        ("hold_ratio", ".25", 0.25),
        ("hold_ratio", "1e-1", 0.1),
        ("hold_ratio", "NaN", None),
        ("date_evaluated", "2026-11-01", date(2026, 11, 1)),
        ("updated_at", "2026-11-01 15%3A30%3A00", datetime(2026, 11, 1, 15, 30, tzinfo=UTC)),
        ("updated_at", "2026-11-01T15%3A30%3A00-05%3A00", datetime(2026, 11, 1, 20, 30, tzinfo=UTC)),
        ("updated_at", "2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("last_name", "Null", "Null"),
        ("last_name", "NULL", "NULL"),
        ("last_name", "%C3%91and%C3%BA a%2Fb%3D%25", "Ñandú a/b=%"),
        ("last_name", "a+b %zz", "a+b %zz"),
        ("last_name", "", ""),
        ("last_name", "__HIVE_DEFAULT_PARTITION__", None),
    ],
)
def test_a_directory_gives_the_value_of_a_column_of_any_type(
    stores: Any, make_contact: Contact, column: str, written: str, value: object
) -> None:
    stores.write([make_contact(1), make_contact(2)], f"year=2026/{column}={written}/part.parquet")
    stores.write([make_contact(3)], f"{column}=__HIVE_DEFAULT_PARTITION__/part[1]*.parquet")
    assert stores.open().check().contacts == 3
    assert fetched(stores, column) == [value, value, None]


def test_filters_exclusion_of_roots_and_sizes_see_what_directories_say(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1)], "is_root=true/a.parquet")
    stores.write([make_contact(2)], "is_root=false/score=7/audio_bytes=100/a.parquet")
    stores.write([make_contact(3, score=8)], "is_root=false/audio_bytes=10/b.parquet")
    found = stores.open().count(stores.selection())
    assert (found.contacts, found.roots, found.media_bytes) == (2, 1, 110)
    assert stores.ids(Filter(field="score", operator="equals", value=7)) == [2]
    assert stores.ids(Filter(field="score", operator="at_least", value=7)) == [2, 3]


@pytest.mark.faults("rows")
@pytest.mark.parametrize(
    ("folder", "column", "words"),
    [
        ("recycled=maybe", "recycled", "its directory holds no yes/no (bool): 'recycled=maybe'"),
        ("score=7.5", "score", "its directory holds no whole number (int64): 'score=7.5'"),
        ("score=99999999999999999999", "score", "its directory holds no whole number (int64)"),
        ("hold_ratio=1,5", "hold_ratio", "its directory holds no decimal number"),
        ("date_evaluated=01%2F11%2F2026", "date_evaluated", "its directory holds no date"),
        ("updated_at=yesterday", "updated_at", "its directory holds no timestamp"),
        ("last_name=%FF%FE", "last_name", "its directory is not UTF-8"),
        ("metadata=x", "metadata", "its directory holds no map"),
        ("recycled=true/recycled=false", "recycled", "is given by two directories, which differ"),
        ("Recycled=true", "recycled", "'Recycled' differs from it only by case"),
    ],
)
def test_a_directory_that_cannot_be_used_is_refused_by_name(
    stores: Any, make_contact: Contact, folder: str, column: str, words: str
) -> None:
    stores.write([make_contact(1)], f"{folder}/part.parquet")
    (refusal,) = refusals(stores)
    assert refusal.startswith(f"contacts/{folder}/part.parquet {column} {words}")


@pytest.mark.faults("rows")
@pytest.mark.parametrize("statistics", [True, False])
def test_a_directory_and_a_file_must_not_contradict_each_other(
    stores: Any, make_contact: Contact, statistics: bool
) -> None:
    for number, written in enumerate(("true", "false", "__HIVE_DEFAULT_PARTITION__"), start=1):
        recycled = {"true": True, "false": False}.get(written)
        table = pa.Table.from_pylist([make_contact(number, score=7, last_name="Ñ")])
        table = table.append_column("recycled", pa.array([recycled], pa.bool_()))
        path = stores.root / f"contacts/recycled={written}/score=7/last_name=%C3%91/part.parquet"
        path.parent.mkdir(parents=True)
        pq.write_table(table, path, write_statistics=statistics)
    assert fetched(stores, "recycled") == [True, False, None]

    stores.write([make_contact(5, last_name="Smith"), make_contact(6, last_name="Jones")], "last_name=Smith/x.parquet")
    assert refusals(stores) == [
        "contacts/last_name=Smith/x.parquet last_name differs from what its directory says: keep one of them"
    ]


# --- links -------------------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere(stores: Any, make_contact: Contact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside of the store with contacts 2 and 3; contact 1 is in the store."""
    folder = tmp_path_factory.mktemp("elsewhere") / "moved"
    for number in (2, 3):
        stores.write([make_contact(number)], f"moved/{number}.parquet")
    (stores.root / "contacts/moved").rename(folder)
    stores.write([make_contact(1)], "1.parquet")
    return folder


def reopened(stores: Any, *allowed: Path) -> ParquetContactStore:
    return ParquetContactStore(LocalStorage(stores.root), scratch=stores.root / "scratch", allowed=allowed)


def test_a_linked_directory_or_file_is_read_where_it_is_allowed(stores: Any, elsewhere: Path) -> None:
    contacts = stores.root / "contacts"
    (contacts / "linked").symlink_to(elsewhere)
    assert reopened(stores, elsewhere.parent).check().contacts == 3
    assert reopened(stores, elsewhere).check().contacts == 3
    (contacts / "linked").unlink()
    (contacts / "2.parquet").symlink_to(elsewhere / "2.parquet")
    assert reopened(stores, elsewhere).check().contacts == 2
    (stores.root / "more").mkdir()
    (elsewhere / "3.parquet").rename(stores.root / "more/3.parquet")
    (contacts / "more").symlink_to("../more")
    assert reopened(stores, elsewhere).check().contacts == 3


@pytest.mark.faults("rows")
@pytest.mark.parametrize("link", ["linked", "year=2026", "2.parquet"])
def test_a_link_that_leads_out_is_refused_by_name(stores: Any, elsewhere: Path, link: str) -> None:
    target = elsewhere / link if link.endswith(".parquet") else elsewhere
    (stores.root / f"contacts/{link}").symlink_to(target)
    (refusal,) = refusals(stores)
    assert refusal.startswith(
        f"contacts/{link}  is a link to '{os.path.realpath(target)}', outside of what may be read"
    )


def test_the_whole_catalogue_may_be_a_link_that_is_allowed(stores: Any, elsewhere: Path) -> None:
    (stores.root / "contacts/1.parquet").unlink()
    (stores.root / "contacts").rmdir()
    (stores.root / "contacts").symlink_to(elsewhere)
    assert reopened(stores, elsewhere).check().contacts == 2
    assert refusals(stores)[0].startswith("contacts  is a link to")


@pytest.mark.faults("rows")
def test_what_can_lead_nowhere_is_refused_by_name(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1)], "deep/1.parquet")
    contacts = stores.root / "contacts"
    (contacts / "gone").symlink_to("/nowhere/at/all")
    (contacts / "gone.parquet").symlink_to("nowhere.parquet")
    (contacts / "deep/loop").symlink_to(contacts)
    (contacts / "self").symlink_to("self")
    os.mkfifo(contacts / "pipe.parquet")
    (contacts / "device.parquet").symlink_to("/dev/null")
    looped, special, lost = sorted(refusals(stores))
    assert looped.startswith("contacts/deep/loop  is a link back to a directory that holds it")
    assert special.startswith("contacts/device.parquet  is no regular file: remove it (and in 1 more files)")
    assert lost.startswith("contacts/gone  is a link that leads nowhere: ")
    assert lost.endswith("(and in 2 more files)")


# --- lake tables -------------------------------------------------------------------------------------------------

LAKES = {
    "_delta_log/00000000000000000000.json": "a Delta Lake table",
    "deep/_delta_log/_last_checkpoint": "a Delta Lake table",
    ".hoodie/hoodie.properties": "an Apache Hudi table",
    "day=1/.hoodie_partition_metadata": "an Apache Hudi table",
    "metadata/v3.metadata.json": "an Apache Iceberg table",
    "metadata/00002-8f1c.metadata.json": "an Apache Iceberg table",
    "metadata/version-hint.text": "an Apache Iceberg table",
    "snapshot/snapshot-1": "an Apache Paimon table",
    "delta_0000001_0000001/bucket_00000": "a Hive transactional table",
    "base_0000002/bucket_00000": "a Hive transactional table",
    "_spark_metadata/0": "the output of a Spark stream",
}


@pytest.mark.faults("rows")
@pytest.mark.parametrize(("log", "table"), LAKES.items())
def test_a_lake_table_is_refused_by_name_and_told_what_to_do(
    stores: Any, make_contact: Contact, log: str, table: str
) -> None:
    stores.write([make_contact(1)], "part-0.parquet")
    path = stores.root / "contacts" / log
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    (refusal,) = refusals(stores)
    assert f" is {table} (" in refusal
    assert "write its present rows to a folder of plain Parquet files" in refusal


@pytest.mark.parametrize(("log", "table"), LAKES.items())
def test_a_lake_table_in_a_bucket_is_refused_by_name(
    make_contact: Contact, tmp_path: Path, log: str, table: str
) -> None:
    storage = bucket(make_contact, "part-0.parquet")
    storage.put(f"contacts/{log}", b"{}")
    with pytest.raises(DefinitionError, match=f"is {table} "):
        ParquetContactStore(storage, scratch=tmp_path).check()


def bucket(make_contact: Contact, *names: str) -> ObjectStorage:
    """A store with one contact a file."""
    storage = ObjectStorage(MemoryStore(), "s3://acme/store")
    for number, name in enumerate(names, start=1):
        content = BytesIO()
        pq.write_table(pa.Table.from_pylist([make_contact(number)]), content)
        storage.put(f"contacts/{name}", content.getvalue())
    return storage


# --- names -------------------------------------------------------------------------------------------------------


@pytest.mark.faults("rows")
@pytest.mark.parametrize(
    ("name", "column"),
    [
        *(("Recycled", "recycled"), ("IS_ROOT", "is_root"), ("recycled ", "recycled"), ("\ufeffrecycled", "recycled")),
        *(("ｒecycled", "recycled"), ("is root", "is_root"), ("isRoot", "is_root"), ("is-root", "is_root")),
        *(("\u200bmetadata", "metadata"), ("Metadata", "metadata"), ("Audio_URI", "audio_uri")),
    ],
)
def test_a_column_that_must_have_meant_another_is_refused(
    stores: Any, make_contact: Contact, name: str, column: str
) -> None:
    stores.write([{**make_contact(1), name: "x"}])
    (refusal,) = refusals(stores)
    assert refusal.startswith(f"contacts/contacts.parquet {column} '")
    assert "rename it" in refusal
    assert refusal.isprintable()


def test_columns_that_mean_something_else_are_only_ignored(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1, recycling="x", is_rooted="y", isRoot="z", is_root=False, notes="n")])
    assert stores.open().check().ignored == ("recycling", "is_rooted", "isRoot", "notes")


def test_a_file_is_never_taken_for_the_pattern_of_another(stores: Any, make_contact: Contact) -> None:
    names = ["odd[1]/p*.parquet", "odd1/pz.parquet", "q?.parquet", "qq.parquet", "{a,b}.parquet", "a.parquet"]
    for number, name in enumerate([*names, "_key=1/x.parquet", "**/x.parquet", " .parquet"], start=1):
        stores.write([make_contact(number)], name)
    assert stores.ids() == [*range(1, 10)]


@pytest.mark.faults("rows")
def test_a_name_that_is_not_utf8_is_refused_in_words_that_can_be_printed(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1)], "a.parquet")
    folder = os.fsencode(stores.root / "contacts")
    (stores.root / "contacts/a.parquet").rename(os.fsdecode(folder + b"/caf\xe9.parquet"))
    assert refusals(stores) == [r"contacts/caf\xe9.parquet  has a name that is not UTF-8: rename it"]


def test_files_with_another_suffix_are_counted_by_the_check(stores: Any, make_contact: Contact) -> None:
    for name in ("a.parquet", "b.PARQUET", "deep/c.parq", ".hidden", "_SUCCESS"):
        stores.write([make_contact(1)], name)
    assert stores.open().check().unread == ("contacts/b.PARQUET", "contacts/deep/c.parq")


def test_the_same_rules_hold_in_a_bucket(make_contact: Contact, tmp_path: Path) -> None:
    storage = bucket(make_contact, "recycled=true/a[1].parquet", "recycled=false/é %20.parquet", "_key=1/b.parquet")
    for name in ("x.parquet/part.parq", "_SUCCESS", "_temporary/c.parquet", ".d.parquet"):
        storage.put(f"contacts/{name}", b"")
    storage.put("contacts/recycled=true", b"")
    store = ParquetContactStore(storage, scratch=tmp_path / "scratch")
    report = store.check()
    assert (report.contacts, report.unread) == (3, ("contacts/x.parquet/part.parq",))
    moment = pa.array([datetime(2026, 11, 1, 12, tzinfo=UTC)] * 3, pa.timestamp("us", "UTC"))
    keys = pa.table({"contact_id": pa.array([1, 2, 3], pa.int64()), "started_at": moment})
    assert store.fetch(keys, (), with_text=False)["recycled"].to_pylist() == [True, False, None]


# --- types that differ from file to file -------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    ("column", "narrow", "wide"),
    [
        ("score", pa.array([1], pa.int8()), pa.array([10**12], pa.int64())),
        ("score", pa.array([1], pa.uint8()), pa.array([-1], pa.int16())),
        (
            "updated_at",
            pa.array([datetime(2026, 1, 1)], pa.timestamp("ns")),
            pa.array([datetime(2500, 1, 1)], pa.timestamp("us", "UTC")),
        ),
        ("hold_ratio", pa.array([1], pa.int8()), pa.array([0.3], pa.float64())),
        ("last_name", pa.nulls(1), pa.array(["x"]).dictionary_encode()),
        ("other", pa.array([{"a": 1}]), pa.array([{"b": ["x"]}])),
    ],
)
def test_files_of_different_types_are_each_read_in_their_own(
    stores: Any, make_contact: Contact, column: str, narrow: pa.Array, wide: pa.Array, order: tuple[int, int]
) -> None:
    for place, number in enumerate(order, start=1):
        table = pa.Table.from_pylist([make_contact(place)]).append_column(column, (narrow, wide)[number])
        stores.write(table, f"{place}.parquet")
    stores.open().check()
    if column == "other":
        assert stores.ids() == [1, 2]
    else:
        expected = [(narrow, wide)[number][0].as_py() for number in order]
        assert [naive(one) for one in fetched(stores, column)] == [naive(one) for one in expected]


def naive(value: object) -> object:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


@pytest.mark.faults("rows")
def test_sizes_that_no_file_has_do_not_stop_the_others(stores: Any, make_contact: Contact) -> None:
    largest = 2**63 - 1
    stores.write([make_contact(1, audio_bytes=largest, screen_bytes=largest), make_contact(2, audio_bytes=-5)])
    assert stores.ids() == [1, 2]
    assert stores.open().count(stores.selection()).media_bytes == 2**51


# --- values ------------------------------------------------------------------------------------------------------


def test_a_cell_that_is_too_large_is_named_by_file_column_and_contact(stores: Any, make_contact: Contact) -> None:
    table = pa.Table.from_pylist([make_contact(1, subject="x"), make_contact(2, subject="y" * (70 << 20))])
    stores.write(table, "large.parquet")
    small = ParquetContactStore(LocalStorage(stores.root), scratch=stores.root / "scratch", memory_limit="128MB")
    words = r"contacts/large\.parquet subject: has 73,400,32\d bytes in contact 2: the largest text .* 67,108,864"
    with pytest.raises(DefinitionError, match=words):
        small.check(values=True)
    with pytest.raises(DefinitionError, match=words):
        small.fetch(stores.keys(), (), with_text=False)


def test_a_check_of_values_refuses_what_a_run_of_every_contact_would(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1, updated_at=datetime(2026, 1, 1, tzinfo=UTC))], "a.parquet")
    assert stores.open().check(values=True).contacts == 1
    far = pa.array([2**62], pa.int64()).cast(pa.timestamp("us", "UTC"))
    stores.write(pa.Table.from_pylist([make_contact(2)]).append_column("updated_at", far), "b.parquet")
    stores.open().check()
    with pytest.raises(DefinitionError, match="updated_at: is outside the years 1 to 9999 in 1 contacts"):
        stores.open().check(values=True)
