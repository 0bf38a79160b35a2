"""What every contact store does alike, whatever holds it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bulk_export.contacts.base import Matches
from bulk_export.contacts.schema import STORE_COLUMNS, canonical_schema, keys_schema
from bulk_export.definitions.models import Filter
from bulk_export.errors import DefinitionError
from bulk_export.filters.selection import among, either

Contact = Callable[..., dict[str, object]]
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)


def test_keys_are_ordered_by_start_and_then_id(stores: Any, make_contact: Contact) -> None:
    late = make_contact(1, started_at=AT + timedelta(hours=1))
    stores.write([late, make_contact(3), make_contact(2)], "b.parquet")
    stores.write([make_contact(4, started_at=AT - timedelta(hours=1))], "a.parquet")
    assert stores.ids() == [4, 2, 3, 1]


def test_keys_have_the_schema_that_later_stages_read(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1, audio_bytes=5, screen_bytes=7, updated_at=AT), make_contact(2, audio_bytes=None)])
    keys = stores.keys()
    assert [(field.name, field.type) for field in keys.schema] == [(field.name, field.type) for field in keys_schema()]
    assert keys["media_bytes"].to_pylist() == [12, 0]
    assert keys["updated_at"].to_pylist() == [AT, None]


def test_roots_are_left_out_and_counted(stores: Any, make_contact: Contact, tmp_path: Path) -> None:
    rows = [
        make_contact(1, is_root=True, audio_bytes=100),
        make_contact(2, is_root=False),
        make_contact(3, audio_bytes=7),
    ]
    stores.write(rows, is_root=pa.bool_())
    store = stores.open()
    matches = store.select_keys(stores.selection(), tmp_path / "keys.parquet")
    assert matches == store.count(stores.selection()) == Matches(contacts=2, roots=1, media_bytes=7)
    assert stores.ids() == [2, 3]


def test_an_empty_selection_writes_an_empty_file(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1)])
    keys = stores.keys(Filter(field="started_at", operator="before", value="2000-01-01"))
    assert keys.num_rows == 0
    assert keys.schema.names == keys_schema().names


def test_an_unknown_zone_of_a_contact_counts_as_the_environments(stores: Any, make_contact: Contact) -> None:
    # 23:30 on 31 October in Bogota.
    started = datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
    zones = ["Mars/Base", None, "UTC", "America/Bogota"]
    stores.write([make_contact(n, started_at=started, time_zone=zone) for n, zone in enumerate(zones)])
    on_the_31st = Filter(field="started_at", operator="on", value="2026-10-31", time_zone="contact")
    assert stores.ids(on_the_31st, zone="America/Bogota") == [0, 1, 3]
    assert stores.ids(on_the_31st, zone="UTC") == [3]


def test_a_date_range_of_the_run_replaces_the_searchs_own(stores: Any, make_contact: Contact) -> None:
    rows = [make_contact(n, started_at=AT + timedelta(days=n), score=n) for n in range(5)]
    stores.write(rows)
    filters = (
        Filter(field="started_at", operator="before", value="2026-11-02"),
        Filter(field="score", operator="not_equals", value=2),
    )
    assert stores.ids(*filters) == [0]
    window = (AT + timedelta(days=1), AT + timedelta(days=4))
    assert stores.ids(*filters, started_between=window) == [1, 3]
    assert stores.ids(filters[0], started_between=window) == [1, 2, 3]


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("equals", 2.0, [2]),
        ("equals", 2.5, []),
        ("not_equals", 2.5, [1, 2, 3, 4]),
        ("less_than", 2.5, [1, 2]),
        ("at_most", 2.5, [1, 2]),
        ("greater_than", 2.5, [3]),
        ("at_least", 2.5, [3]),
        ("between", [1.5, 2.5], [2]),
    ],
)
def test_a_fraction_is_compared_exactly_with_whole_numbers(
    operator: str, value: object, expected: list[int], stores: Any, make_contact: Contact
) -> None:
    stores.write([make_contact(n, score=None if n == 4 else n) for n in (1, 2, 3, 4)])
    assert stores.ids(Filter(field="score", operator=operator, value=value)) == expected


HOSTILE = [
    "' OR 1=1 --",
    "'; DROP TABLE contacts; --",
    '" OR ""="',
    "?",
    "{0}",
    "{}",
    "%",
    "_",
    "\\",
    "$1",
    "\x00",
    "(?i).*",
]


@pytest.mark.faults("rows")
@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_value_is_only_a_value(hostile: str, stores: Any, make_contact: Contact) -> None:
    if "\0" in hostile and stores.open().dialect != "duckdb":
        pytest.skip("no text in PostgreSQL holds this character")
    rows = [make_contact(1, last_name=hostile, metadata={hostile: "x"}), make_contact(2, last_name="Quispe")]
    stores.write(rows)
    options = {"metadata": (hostile,)}
    for operator in ("equals", "contains", "starts_with", "ends_with"):
        assert stores.ids(Filter(field="last_name", operator=operator, value=hostile), **options) == [1]
    assert stores.ids(Filter(field="last_name", operator="is_none_of", value=[hostile]), **options) == [2]
    assert stores.ids(Filter(field=f"metadata.{hostile}", operator="equals", value="X"), **options) == [1]
    assert stores.ids(Filter(field=f"metadata.{hostile}", operator="is_empty"), **options) == [2]
    fetched = stores.open().fetch(stores.keys(), (hostile,), with_text=False)
    assert fetched[f"metadata.{hostile}"].to_pylist() == ["x", None]


@pytest.mark.faults("rows")
def test_a_hostile_field_name_never_reaches_sql(select: Any) -> None:
    for field in ("1=1) --", "score; DROP TABLE contacts", "metadata.x'] = 'y' OR contacts.metadata['x"):
        with pytest.raises(DefinitionError, match="FILTER_INCOMPLETE"):
            select(Filter(field=field, operator="equals", value="1"))


def test_a_job_table_has_the_canonical_schema_in_the_order_of_its_keys(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(n, started_at=AT - timedelta(hours=n), text=f"body {n}") for n in range(50)])
    keys = stores.keys().slice(10, 20)
    with_text = stores.open().fetch(keys, ("account-key",), with_text=True)
    assert with_text.schema == canonical_schema(("account-key",), True)
    assert with_text["contact_id"].to_pylist() == keys["contact_id"].to_pylist()
    assert with_text["text"].to_pylist()[0] == f"body {keys['contact_id'][0]}"
    without = stores.open().fetch(keys, (), with_text=False)
    assert without.schema == canonical_schema((), False)
    assert "text" not in without.schema.names


def test_a_contact_that_left_the_store_is_not_in_the_result(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1), make_contact(2)])
    keys = stores.keys()
    stores.write([make_contact(2)])
    assert stores.open().fetch(keys, (), with_text=False)["contact_id"].to_pylist() == [2]


def test_a_contact_doubled_since_the_selection_is_refused(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1), make_contact(2)])
    keys = stores.keys()
    stores.write([make_contact(2)], "again.parquet")
    with pytest.raises(DefinitionError, match="more than once"):
        stores.open().fetch(keys, (), with_text=False)


def test_no_keys_give_an_empty_job_table(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1)])
    empty = keys_schema().empty_table()
    assert stores.open().fetch(empty, ("a",), with_text=False).schema == canonical_schema(("a",), False)


def test_an_open_store_sees_new_and_replaced_files(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1)])
    store = stores.open()
    assert store.count(stores.selection()).contacts == 1
    stores.write([make_contact(2)], "new.parquet")
    stores.write([make_contact(1), make_contact(3, score=1)])
    assert store.count(stores.selection()).contacts == 3


def test_a_good_store_reports_what_it_holds(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1, score=1), make_contact(2)])
    stores.write([make_contact(3, colour="red")], "more.parquet")
    report = stores.open().check()
    assert report.contacts == 3
    assert report.columns == ("contact_id", "time_zone", "score", "contact_type", "started_at")
    assert set(report.columns) | set(report.absent) == set(STORE_COLUMNS)
    assert report.ignored == ("colour",)


@pytest.mark.parametrize("files", [("a.parquet", "a.parquet"), ("a.parquet", "b.parquet")])
def test_a_duplicate_contact_id_is_refused(files: tuple[str, str], stores: Any, make_contact: Contact) -> None:
    rows: dict[str, list[dict[str, object]]] = {name: [] for name in files}
    rows[files[0]] += [make_contact(1), make_contact(2)]
    rows[files[1]] += [make_contact(2), make_contact(3)]
    for name, contacts in rows.items():
        stores.write(contacts, name)
    assert stores.refusal() == "contacts contact_id: 2 is there 2 times"


def test_a_failed_selection_leaves_no_file(stores: Any, make_contact: Contact, tmp_path: Path) -> None:
    stores.write([make_contact(1), make_contact(1)])
    with pytest.raises(DefinitionError):
        stores.open().select_keys(stores.selection(), tmp_path / "out" / "keys.parquet")
    assert list((tmp_path / "out").iterdir()) == []
    assert list((stores.root / "scratch").iterdir()) == []


@pytest.mark.parametrize(
    ("operator", "value", "found"), [("greater_than", 0, [4]), ("at_most", 1, [1, 2]), ("is_empty", None, [3, 5])]
)
def test_what_is_no_number_is_no_value(
    operator: str, value: object, found: list[int], stores: Any, make_contact: Contact
) -> None:
    ratios = {1: 0.0, 2: 0.0, 3: float("nan"), 4: 2.0, 5: float("inf")}
    stores.write([make_contact(number, silence_ratio=ratio) for number, ratio in ratios.items()])
    assert stores.ids(Filter(field="silence_ratio", operator=operator, value=value)) == found


def test_contacts_can_be_named_one_by_one_and_beside_a_search(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(n, score=n) for n in range(6)])
    store, into = stores.open(), stores.root / "keys.parquet"
    some = among([4, 2, 99], store.dialect)
    assert store.preview(some, 9)[1]["contact_id"].to_pylist() == [2, 4]
    wanted = either(stores.selection(Filter(field="score", operator="at_most", value=1)), some)
    assert store.select_keys(wanted, into).contacts == 4
    assert store.preview(wanted, 3)[1]["contact_id"].to_pylist() == [0, 1, 2]
    assert store.count(among([], store.dialect)).contacts == 0


def test_a_preview_counts_all_and_shows_the_oldest_as_a_selection_would(
    stores: Any, make_contact: Contact, tmp_path: Path
) -> None:
    late = {"started_at": AT + timedelta(hours=1), "audio_bytes": 5}
    rows = [make_contact(1, **late), make_contact(3, updated_at=AT, screen_bytes=7), make_contact(2)]
    stores.write([*rows, make_contact(4, is_root=True, started_at=AT - timedelta(days=1))], is_root=pa.bool_())
    store = stores.open()
    matches, keys = store.preview(stores.selection(), 2)
    assert matches == store.count(stores.selection()) == Matches(contacts=3, roots=1, media_bytes=12)
    assert keys.equals(stores.keys().slice(0, 2).cast(keys_schema()))
    assert keys["contact_id"].to_pylist() == [2, 3]
    assert store.preview(stores.selection(), 50)[1].num_rows == 3
    for nothing in (among([99], store.dialect), among([4], store.dialect)):
        matches, keys = store.preview(nothing, 2)
        assert (matches.contacts, keys.num_rows, keys.schema) == (0, 0, keys_schema())


def test_a_key_past_the_64_bit_float_is_exact(stores: Any, make_contact: Contact) -> None:
    big = 2**53 + 1
    stores.write([make_contact(big), make_contact(big - 1)])
    keys = stores.keys(Filter(field="contact_id", operator="equals", value=big))
    assert stores.open().fetch(keys, (), with_text=False)["contact_id"].to_pylist() == [big]
