"""One table of cells, judged alike by the guard itself and in every CSV that the product writes."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO, StringIO

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.contacts.schema import canonical_schema
from bulk_export.contacts_csv import CsvLayout, write_contacts_csv
from bulk_export.csv_cells.guard import guard
from bulk_export.csv_cells.records import records
from bulk_export.items.table import job_items, write_items_csv
from bulk_export.reasons import Reason
from bulk_export.staging.journal import FileResult
from bulk_export_console.tables import csv_lines

RUN_BY_SPREADSHEETS = (
    "=1+1",
    '=HYPERLINK("http://evil.example","x")',
    "@SUM(1+1)",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "-",
    "+",
    "--1",
    "-1-1",
    "+1*2",
    "-1 =2",
    "+1-612-555-0100",
    "+1/2",
    "\ttab",
    "\rreturn",
    "\nline",
    "\t5",
    " =1+1",
    "\u00a0=1",
    "\u200b=1",
    "\ufeff=1",
    "\u3000@x",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
)
HARMLESS = (
    "",
    "plain",
    "a=1",
    "1-2",
    "'=1",
    "user@example.com",
    "-5",
    "+5",
    "-5.25",
    "-.5",
    "+1,234.50",
    "-1,5",
    "-12%",
    "-1e-5",
    " -5",
    "+16125550100",
    "+44 20 7946 0958",
    "+1 (612) 555.0100",
    "山田",
    "¿dudas?",
    "\u00a0text",
)


def in_contacts_csv(cell: str) -> str:
    schema = canonical_schema((), with_text=False).append(pa.field("text_preview", pa.string()))
    row = {"contact_id": 1, "started_at": datetime(2026, 11, 23, tzinfo=UTC), "contact_type": "EMAIL", "subject": cell}
    out = BytesIO()
    jobs = [pa.Table.from_pylist([{**dict.fromkeys(schema.names), **row}], schema=schema)]
    write_contacts_csv(jobs, CsvLayout("excel"), out)
    return parsed(out.getvalue())["Subject"]


def in_items_csv(cell: str) -> str:
    out = BytesIO()
    result = FileResult(1, "media", Reason.MEDIA_CORRUPT, cell)
    write_items_csv([job_items([1], [False], [result])], out)
    return parsed(out.getvalue())["detail"]


def in_a_download(cell: str) -> str:
    return parsed(b"".join(csv_lines(["run_id", "export_name"], [(1, cell)])))["export_name"]


def parsed(content: bytes) -> dict[str, str]:
    (row,) = csv.DictReader(StringIO(content.decode("utf-8-sig"), newline=""))
    return row


def one_line(cell: str) -> str:
    """A detail of items.csv has neither line breaks nor spaces around it."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", cell).strip()


# Where a cell goes, and what of it comes there.
OUTPUTS: Mapping[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "contacts.csv": (in_contacts_csv, str),
    "items.csv": (in_items_csv, one_line),
    "download": (in_a_download, str),
}


@pytest.mark.faults("rows")
@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("cell", RUN_BY_SPREADSHEETS)
def test_what_a_spreadsheet_would_run_is_prefixed_in_every_output(cell: str, output: str) -> None:
    write, shown = OUTPUTS[output]
    # What only its tab or line break makes a formula is none on one line.
    harmless = shown(cell) in {"tab", "return", "line", "5"}
    assert write(cell) == ("" if harmless else "'") + shown(cell)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("cell", HARMLESS)
def test_plain_numbers_phone_numbers_and_harmless_text_stay_in_every_output(cell: str, output: str) -> None:
    write, shown = OUTPUTS[output]
    assert write(cell) == shown(cell)


@pytest.mark.parametrize("text", RUN_BY_SPREADSHEETS)
def test_what_a_spreadsheet_would_run_is_prefixed(text: str) -> None:
    guarded, found = guard(pa.array(["plain", text, None]))
    assert (guarded.to_pylist(), found) == (["plain", "'" + text, None], 1)


@pytest.mark.parametrize("text", HARMLESS)
def test_plain_numbers_phone_numbers_and_harmless_text_stay(text: str) -> None:
    guarded, found = guard(pa.array([text]))
    assert (guarded.to_pylist(), found) == ([text], 0)


def test_a_slice_of_a_column_is_judged_by_its_own_cells() -> None:
    column = pa.array(["=1", "plain", "=2", "plain"])
    assert guard(column.slice(1, 1)) == (pa.array(["plain"]), 0)
    assert guard(column.slice(1, 2)) == (pa.array(["plain", "'=2"]), 1)


# What stands in the file for a text that another separator than the file's takes apart.
TAKEN_APART = {
    "Hola;=1+1;x": "Hola;'=1+1;x",
    "x;+cmd|' /C calc'!A0": "x;'+cmd|' /C calc'!A0",
    "1;-2+3": "1;'-2+3",
    "'=1;@SUM(1)": "'=1;'@SUM(1)",
    "Gracias\t=1+1\tx": "Gracias\t'=1+1\tx",
    "a; =1+1;b": "a; '=1+1;b",
    "a;\t-2+3": "a;\t'-2+3",
    "a\r\n=1": "a\r\n'=1",
    "a\n\u200b@x": "a\n\u200b'@x",
    'a;"=1+1"': 'a;"\'=1+1"',
    "a;＝1": "a;'＝1",
    "+16125550100;=1": "'+16125550100;'=1",
    "=1;=2": "'=1;'=2",
    "a;-5;b": "a;-5;b",
    "Tel.;+34 600 123 456": "Tel.;+34 600 123 456",
    "a; -1,5 ;b": "a; -1,5 ;b",
    "a;-5+cmd": "a;'-5+cmd",
    "a;b=1;c@d": "a;b=1;c@d",
    "a,=1": "a,=1",
}


@pytest.mark.parametrize("text", TAKEN_APART)
def test_a_sign_after_a_separator_inside_a_text_is_guarded_too(text: str) -> None:
    guarded, found = guard(pa.array(["plain", text, None]))
    assert guarded.to_pylist() == ["plain", TAKEN_APART[text], None]
    assert found == (TAKEN_APART[text] != text)


def test_where_the_file_has_another_separator_a_comma_inside_a_text_takes_it_apart() -> None:
    guarded, found = guard(pa.array(["a,=1", "a, -5", "a;=1"]), ";")
    assert (guarded.to_pylist(), found) == (["a,'=1", "a, -5", "a;'=1"], 2)


PIECES = st.lists(
    st.sampled_from(
        [";", ",", "\t", "\n", " ", '"', "'", "=1+1", "+34 600", "-5", "@x", "-2+3", "a", "=", "\u200b", "1+1"]
    ),
    max_size=8,
).map("".join)


@settings(deadline=None, derandomize=True, max_examples=400)
@given(st.lists(PIECES, min_size=3, max_size=3), st.sampled_from([",", ";"]))
def test_whatever_separator_a_reader_takes_no_cell_begins_a_formula(texts: list[str], separator: str) -> None:
    columns = [guard(pa.array(["first"]))[0], *(guard(pa.array([text]), separator)[0] for text in texts)]
    content = bytes(records(columns, "\r\n", separator)).decode()
    for read_with in ",;\t":
        for row in csv.reader(StringIO(content, newline=""), delimiter=read_with):
            for cell in row:
                shown = cell.lstrip("\u200b \t\r\n")
                # Left alone is a number: with what follows it in another reader's cell it must not become a formula.
                number = re.match(r"(?:[+-]5|\+34 600) *(?:[\"';,\t\r\n]|$)", shown)
                assert not shown.startswith(("=", "+", "-", "@")) or number, (content, read_with, cell)
