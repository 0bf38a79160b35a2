"""What is written is what readers read: Python's csv, pandas and DuckDB."""

from __future__ import annotations

import csv
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.contacts_csv import CsvLayout, write_contacts_csv
from bulk_export.csv_cells.records import header_record, records
from bulk_export.fields import CSV_FIELDS

# NUL never reaches the records; carriage returns alone are not told apart by every reader.
CELLS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.sampled_from(
    ['"', '""', ",", "\n", "\r\n", "\r", '",\n"', "'", " padded ", "\u2028", "\ufeff", "日本"]
)
TRICKY = [
    'say "hi"',
    "a,b",
    "line\nbreak",
    "dos\r\nbreak",
    "old\rmac",
    ' " ',
    '"',
    ",",
    "\n",
    "日本語",
    "👍🏽",
    "plain",
]


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1), st.sampled_from(["\n", "\r\n"]))
def test_any_cells_read_back_the_same(rows: list[tuple[str, ...]], line_end: str) -> None:
    columns = [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)]
    text = bytes(records(columns, line_end)).decode()
    assert list(csv.reader(StringIO(text, newline=""), strict=True)) == [list(row) for row in rows]


def test_quotes_stand_only_where_they_are_needed_and_null_is_empty() -> None:
    assert header_record(["plain", "a,b", 'c"d', "", " e "], "\n") == b'plain,"a,b","c""d",, e \n'
    assert bytes(records([pa.array([None, "x"]), pa.array(["", None], pa.string())], "\r\n")) == b",\r\nx,\r\n"


def test_slices_of_columns_are_written_alone() -> None:
    column = pa.array(["a", "b,c", "d"])
    assert bytes(records([column.slice(1, 1), column.slice(2, 1)], "\n")) == b'"b,c",d\n'


@pytest.fixture
def tricky_csv(request: pytest.FixtureRequest, tmp_path: Path, make_contacts: Callable[..., pa.Table]) -> Path:
    rows = [
        {"contact_id": number, "contact_type": "EMAIL", "subject": text, "metadata.key": text}
        for number, text in enumerate(TRICKY)
    ]
    out = BytesIO()
    profile, separator = request.param
    layout = CsvLayout(profile, "es", ("key",), separator)
    write_contacts_csv([make_contacts(*rows, metadata_keys=("key",))], layout, out)
    path = tmp_path / "contacts.csv"
    path.write_bytes(out.getvalue())
    return path


PROFILES = pytest.mark.parametrize(
    "tricky_csv",
    [("standard", ","), ("excel", ","), ("data", ","), ("standard", ";"), ("excel", None), ("data", ";")],
    indirect=True,
    ids=str,
)


def separator_of(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig").removeprefix("Contact ID")[0]


def as_shown(text: str, path: Path) -> str:
    # A line break first is guarded, except in raw cells; the data profile is the only one with ISO dates.
    raw = b"2026-11-23" in path.read_bytes()
    return "'" + text if text[0] == "\n" and not raw else text


@PROFILES
def test_python_reads_every_cell(tricky_csv: Path) -> None:
    with tricky_csv.open(encoding="utf-8-sig", newline="") as lines:
        read = list(csv.DictReader(lines, delimiter=separator_of(tricky_csv)))
    assert [row["Subject"] for row in read] == [as_shown(text, tricky_csv) for text in TRICKY]
    assert [row["key"] for row in read] == [as_shown(text, tricky_csv) for text in TRICKY]
    assert {len(row) for row in read} == {len(CSV_FIELDS) + 1}


@PROFILES
def test_pandas_reads_every_cell(tricky_csv: Path) -> None:
    read = pd.read_csv(tricky_csv, sep=separator_of(tricky_csv), encoding="utf-8-sig", dtype=str, keep_default_na=False)
    assert read.shape == (len(TRICKY), len(CSV_FIELDS) + 1)
    assert read["Subject"].tolist() == [as_shown(text, tricky_csv) for text in TRICKY]


@PROFILES
def test_duckdb_reads_every_cell(tricky_csv: Path) -> None:
    with duckdb.connect() as connection:
        read = connection.read_csv(str(tricky_csv), sep=separator_of(tricky_csv), all_varchar=True, header=True)
        assert read.select("Contact ID", "Subject").fetchall() == [
            (str(number), as_shown(text, tricky_csv)) for number, text in enumerate(TRICKY)
        ]


@pytest.mark.parametrize("tricky_csv", [("excel", None)], indirect=True, ids=str)
def test_excel_gets_a_byte_order_mark_and_crlf_between_records_only(tricky_csv: Path) -> None:
    content = tricky_csv.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfContact ID;Last Name;")
    assert b'"line\nbreak"' in content
    outside_quotes = b"".join(content.split(b'"')[::2])
    assert outside_quotes.count(b"\r\n") == outside_quotes.count(b"\n") == len(TRICKY) + 1


def test_the_data_profile_loads_as_values(tmp_path: Path, make_contacts: Callable[..., pa.Table]) -> None:
    contacts = make_contacts({"call_duration": 3_661, "hold_ratio": 0.123456789, "time_zone": "Asia/Kolkata"})
    path = tmp_path / "contacts.csv"
    with path.open("wb") as out:
        write_contacts_csv([contacts], CsvLayout("data"), out)
    row = pd.read_csv(path).iloc[0]
    assert (row["Call Duration"], row["% Hold"]) == (3_661, 0.123456789)
    assert pd.Timestamp(f"{row['Date']}T{row['Time']}") == pd.Timestamp("2026-11-23T12:00Z")
