"""contacts.csv and contacts.parquet give every reader the values that were stored, whatever outsiders wrote."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hostile import FIRST_ID, HOSTILE, STARTED_AT, Delivered
from lxml import etree

from bulk_export.fields import CSV_FIELDS

IDS = [FIRST_ID + place for place in range(len(HOSTILE) + 1)]
MASK = "######"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"


def test_python_reads_every_cell(delivered: Delivered) -> None:
    with (delivered.directory / "data/contacts.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines, strict=True))

    assert [int(row["Contact ID"]) for row in rows] == IDS
    for header in ("Last Name", "Subject", "account-key"):
        assert [row[header] for row in rows] == [*delivered.shown(), MASK]
    assert {len(row) for row in rows} == {len(CSV_FIELDS) + 1}
    assert {value for header, value in rows[-1].items() if header != "Contact ID"} == {MASK}


def test_pandas_reads_every_cell(delivered: Delivered) -> None:
    contacts = pd.read_csv(delivered.directory / "data/contacts.csv", dtype=str, keep_default_na=False)

    assert contacts["Contact ID"].astype(int).tolist() == IDS
    for header in ("Last Name", "Subject", "account-key"):
        assert contacts[header].tolist() == [*delivered.shown(), MASK]


def test_duckdb_reads_every_cell(delivered: Delivered) -> None:
    contacts = duckdb.read_csv(
        str(delivered.directory / "data/contacts.csv"), all_varchar=True, header=True, quotechar='"', escapechar='"'
    )

    rows = contacts.select("Contact ID", "Last Name", "Subject", "account-key").fetchall()
    assert rows == [
        (str(contact), *[shown] * 3) for contact, shown in zip(IDS, [*delivered.shown(), MASK], strict=True)
    ]


def test_pandas_and_duckdb_read_parquet_as_it_was_stored(delivered: Delivered) -> None:
    path = delivered.directory / "data/contacts.parquet"
    stored = [stored for stored, _ in HOSTILE]

    frame = pd.read_parquet(path)
    assert frame["contact_id"].tolist() == IDS
    for column in ("last_name", "subject", "metadata.account-key"):
        assert frame[column].tolist()[:-1] == stored
        assert frame[column].isna().tolist()[-1]
    assert frame["started_at"][0] == pd.Timestamp(STARTED_AT)
    assert frame["hold_ratio"].tolist()[:2] == [0.1, 0.1 + 1 / 1000]

    columns = 'contact_id, last_name, subject, "metadata.account-key", hold_ratio'
    rows = duckdb.sql(f"SELECT {columns} FROM '{path}'").fetchall()
    expected = [(IDS[place], *[text] * 3, 0.1 + place / 1000) for place, text in enumerate(stored)]
    assert rows == [*expected, (IDS[-1], None, None, None, None)]


def test_the_data_profile_gives_the_moment_and_the_number_that_were_stored(hostile_runs: dict[str, Path]) -> None:
    path = hostile_runs["data"] / "data/contacts.csv"
    contacts = pd.read_csv(path, na_values=[MASK], keep_default_na=False).iloc[:-1]
    started = pd.to_datetime(contacts["Date"] + "T" + contacts["Time"], utc=True)

    assert started[0] == pd.Timestamp(STARTED_AT)
    assert contacts["% Hold"].tolist() == [0.1 + place / 1000 for place in range(len(HOSTILE))]


@pytest.fixture
def open_in_libreoffice(program: Callable[[str, str], str], tmp_path: Path) -> Callable[[Path, str], etree._Element]:
    """Opens a CSV in a LibreOffice without a window and gives its sheet as XML."""
    office = program("soffice", "libreoffice-calc-nogui")

    def convert(path: Path, columns: str) -> etree._Element:
        # Comma, double quote, UTF-8, from line 1; formulas are evaluated, as Excel does it (token 12).
        options = f"CSV:44,34,76,1,{columns},0,false,true,false,false,0,true"
        command = [office, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile"]
        command += [f"--infilter={options}", "--convert-to", "fods", "--outdir", str(tmp_path), str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        result = tmp_path / f"{path.stem}.fods"
        assert result.exists(), done.stdout + done.stderr
        return etree.parse(result, etree.XMLParser(huge_tree=True)).getroot()

    return convert


def sheet(root: etree._Element) -> list[list[str]]:
    """The cells of an OpenDocument sheet as text; repeated cells spelled out."""
    rows = []
    for row in root.iter(f"{TABLE}table-row"):
        cells: list[str] = []
        for cell in row.iterfind(f"{TABLE}table-cell"):
            text = "\n".join(_text(paragraph) for paragraph in cell.iterfind(f"{TEXT}p"))
            cells += [text] * min(int(cell.get(f"{TABLE}number-columns-repeated", "1")), 100)
        rows.append(cells)
    return rows


def _text(paragraph: etree._Element) -> str:
    parts = [paragraph.text or ""]
    for child in paragraph:
        if child.tag == f"{TEXT}s":
            parts.append(" " * int(child.get(f"{TEXT}c", "1")))
        elif child.tag == f"{TEXT}tab":
            parts.append("\t")
        else:
            parts.append(_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def test_libreoffice_reads_every_cell(
    delivered: Delivered, open_in_libreoffice: Callable[[Path, str], etree._Element]
) -> None:
    every_column_text = "/".join(f"{number}/2" for number in range(1, 59))

    rows = sheet(open_in_libreoffice(delivered.directory / "data/contacts.csv", every_column_text))

    with (delivered.directory / "data/contacts.csv").open(encoding="utf-8-sig", newline="") as lines:
        header = next(csv.reader(lines))
    assert rows[0][: len(CSV_FIELDS) + 1] == header
    assert [row[0] for row in rows[1 : len(IDS) + 1]] == [str(contact) for contact in IDS]
    for name in ("Last Name", "Subject", "account-key"):
        place = header.index(name)
        seen = [row[place] for row in rows[1 : len(IDS) + 1]]
        assert seen == [in_a_sheet(text) for text in [*delivered.shown(), MASK]]


def in_a_sheet(text: str) -> str:
    """What a sheet of LibreOffice can hold: one kind of line break, and no characters that XML forbids."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(char for char in lines if char >= " " or char in "\n\t")


@pytest.mark.parametrize(("profile", "formulas"), [("standard", False), ("excel", False), ("data", True)])
def test_only_the_profile_for_programs_has_cells_that_a_spreadsheet_runs(
    hostile_runs: dict[str, Path],
    open_in_libreoffice: Callable[[Path, str], etree._Element],
    profile: str,
    formulas: bool,
) -> None:
    root = open_in_libreoffice(hostile_runs[profile] / "data/contacts.csv", "")

    run = [cell.get(f"{TABLE}formula") for cell in root.iter(f"{TABLE}table-cell") if cell.get(f"{TABLE}formula")]
    assert bool(run) is formulas
