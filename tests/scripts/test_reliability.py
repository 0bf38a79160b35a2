"""docs/reliability.md has every kind of fault, and the table of a run in which all converged."""

from __future__ import annotations

import re
from datetime import date

import pytest

import reliability
from fault_kinds import FAULT_KINDS
from markdown_table import table


def test_the_page_describes_every_kind() -> None:
    rows = tuple((kind.label, kind.how, kind.converged) for kind in FAULT_KINDS.values())
    assert table(("kind", "how", "what must hold"), rows) in reliability.PAGE.read_text(encoding="utf-8")


def test_in_the_run_that_the_page_shows_everything_converged() -> None:
    page = reliability.PAGE.read_text(encoding="utf-8")
    written = page.partition(reliability.BEGIN)[2].partition(reliability.END)[0]
    found = re.findall(r"^\| (\w[^|]*) \| (\d+) \| (\d+) \|", written, re.MULTILINE)
    assert {label for label, *_ in found} <= {kind.label for kind in FAULT_KINDS.values()}
    assert [row for row in found if row[1] != row[2]] == []


def test_another_run_replaces_the_table_and_nothing_else() -> None:
    counts = {"Kills": {"injected": 3, "converged": 2, "tests_skipped": 0}}
    written = reliability.faults_table(counts, date(2026, 11, 28))
    page = reliability.page_with(f"before\n{reliability.BEGIN}old\n{reliability.END}after\n", written)
    assert "| Kills | 3 | 2 |  |\n| **Together** | **3** | **2** |  |\n" in page
    assert page.startswith("before\n") and page.endswith("after\n") and "old" not in page
    with pytest.raises(ValueError, match="lacks the marks"):
        reliability.page_with("nothing", written)
