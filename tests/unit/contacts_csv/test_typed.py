from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from bulk_export.contacts_csv import CsvLayout, typed_table
from bulk_export.fields import CSV_FIELDS

LAYOUT = CsvLayout(profile="excel", language="es", metadata_keys=("b", "a"))


def typed(make_contacts: Callable[..., pa.Table], *rows: dict[str, object]) -> pa.Table:
    return typed_table(make_contacts(*rows, metadata_keys=("a", "b")), LAYOUT)


def test_columns_are_the_csv_s_by_field_key_with_started_at_for_date_and_time(
    make_contacts: Callable[..., pa.Table],
) -> None:
    keys = [field.key for field in CSV_FIELDS]
    assert typed(make_contacts, {}).column_names == [
        *keys[: keys.index("date")],
        "started_at",
        *keys[keys.index("time_zone") :],
        "metadata.b",
        "metadata.a",
    ]


def test_values_keep_their_types_and_are_not_formatted_guarded_or_cut(make_contacts: Callable[..., pa.Table]) -> None:
    stored = {
        "contact_id": 7,
        "last_name": "=" + "x" * 99,
        "calling_number": None,
        "started_at": datetime(2026, 11, 23, 5, tzinfo=UTC),
        "time_zone": "America/Bogota",
        "hr": True,
        "call_duration": 360_001,
        "hold_ratio": 0.123456789,
        "date_evaluated": date(2026, 11, 24),
        "metadata.a": "+1",
        "text_preview": "… hit …",
    }
    table = typed(make_contacts, stored)
    assert {key: table[key][0].as_py() for key in stored} == stored
    assert table.schema.field("started_at").type == pa.timestamp("us", "UTC")


def test_recycled_contacts_keep_their_id_alone(make_contacts: Callable[..., pa.Table]) -> None:
    whole = {"contact_id": 7, "last_name": "Smith", "hr": True, "score": 1, "metadata.a": "x", "recycled": True}
    table = typed(make_contacts, whole, {"contact_id": 8, "recycled": None})
    assert {name for name in table.column_names if table[name][0].is_valid} == {"contact_id"}
    assert table["contact_type"].to_pylist() == [None, "CALL"]
    assert table.schema == typed(make_contacts, {}).schema


def test_pandas_reads_the_file(tmp_path: Path, make_contacts: Callable[..., pa.Table]) -> None:
    pq.write_table(typed(make_contacts, {"call_duration": 5}), tmp_path / "contacts.parquet")
    read = pd.read_parquet(tmp_path / "contacts.parquet")
    assert read.loc[0, "call_duration"] == 5
    assert read.loc[0, "started_at"] == pd.Timestamp("2026-11-23T12:00Z")
