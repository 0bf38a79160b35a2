"""contacts.csv opens in columns where `;` separates, and what Excel cannot take is counted everywhere alike."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from workbench import Workbench

from bulk_export.audit.report import audit_summary
from bulk_export.bag.verify import verify_run
from bulk_export.state.runs import list_runs
from bulk_export.storage.local import LocalStorage

EXCEL_CHARS = 32_767


def delivered(bench: Workbench, options: Any, **changes: Any) -> Path:
    email = {"contact_type": "EMAIL", "subject": "Hola;=1+1;x", "from_address": "a@b.example"}
    bench.contacts([bench.call(1, **email | changes), bench.call(2, contact_type="EMAIL", subject="a,=2")])
    bench.export(csv=options)
    return bench.directory(bench.run())


@pytest.mark.parametrize(
    ("options", "separator"),
    [
        ("standard", ","),
        ("excel", ","),
        ({"profile": "excel", "language": "es"}, ";"),
        ({"profile": "excel", "language": "es", "separator": ","}, ","),
        ({"profile": "excel", "separator": ";"}, ";"),
        ({"separator": ";"}, ";"),
        ({"profile": "data", "separator": ";"}, ";"),
    ],
)
def test_the_separator_is_the_one_asked_for_or_that_of_the_language(
    bench: Workbench, options: Any, separator: str
) -> None:
    directory = delivered(bench, options)
    with (directory / "data/contacts.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter=separator))
    assert verify_run(LocalStorage(directory)).ok
    assert [len(row) for row in rows] == [58, 58]
    raw = isinstance(options, dict) and options.get("profile") == "data"
    assert rows[0]["Subject"] == ("Hola;=1+1;x" if raw else "Hola;'=1+1;x")
    assert rows[1]["Subject"] == ("a,'=2" if separator == ";" and not raw else "a,=2")


@pytest.mark.parametrize(
    ("text", "long"),
    [("x" * EXCEL_CHARS, 0), ("x" * (EXCEL_CHARS + 1), 1), ("👍" * (EXCEL_CHARS // 2 + 1), 1), ("=" * EXCEL_CHARS, 1)],
    ids=["just fits", "one too many", "emoji count twice", "the guard counts"],
)
def test_a_cell_that_is_longer_than_excel_takes_is_written_whole_and_counted(
    bench: Workbench, text: str, long: int
) -> None:
    directory = delivered(bench, "excel", to_address=text, metadata=[("account-key", text[:10])])
    with (directory / "data/contacts.csv").open(encoding="utf-8-sig", newline="") as stream:
        csv.field_size_limit(1 << 20)
        [row, _] = csv.DictReader(stream)
    assert row["To Address"].removeprefix("'") == text
    [record] = list_runs(bench.site().engine)
    assert record.long_cells == long
    words = "1 cells longer than the 32,767 characters that Excel takes"
    assert (words in audit_summary(record)) == bool(long)
    assert ("Cells-Longer-Than-Excel-Takes: 1" in (directory / "bag-info.txt").read_text()) == bool(long)
