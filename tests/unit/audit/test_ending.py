"""The pure decision; closing records is tested in state/test_close_audit.py, the words in test_audit_report.py."""

from __future__ import annotations

import subprocess
import sys
from itertools import product

import pytest

from bulk_export.audit.ending import Ending, final_status
from bulk_export.state.records import RunStatus

FINE = Ending(cancelled=False, failed=False, delivered=True, matched=10, follow_up=False, faulty=0)


def _lines_of_the_table() -> list[list[str]]:
    lines = [line.strip() for line in (final_status.__doc__ or "").splitlines() if line.strip().startswith("| ")]
    _header, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return rows


def _endings_of(line: list[str]) -> list[Ending]:
    cancelled, failed, delivered, matched, follow_up, faulty = line
    truth = {"yes": [True], "no": [False], "-": [True, False]}
    matches = {"0": [0], "> 0": [10], "-": [None, 0, 10]}[matched]
    faults = {"0": [0], "> 0": [3], "-": [0, 3]}[faulty]
    combinations = product(truth[cancelled], truth[failed], truth[delivered], matches, truth[follow_up], faults)
    names = ("cancelled", "failed", "delivered", "matched", "follow_up", "faulty")
    return [Ending(**dict(zip(names, values, strict=True))) for values in combinations]


@pytest.mark.parametrize("line", _lines_of_the_table(), ids=" ".join)
def test_the_status_follows_the_table_in_the_docstring(line: list[str]) -> None:
    *conditions, status = line
    for ending in _endings_of(conditions):
        assert final_status(ending) is RunStatus(status), ending


def test_the_table_has_a_line_for_every_end_of_a_run() -> None:
    ends = set(RunStatus) - {RunStatus.QUEUED, RunStatus.RUNNING}
    assert {line[-1] for line in _lines_of_the_table()} == ends


def test_a_run_with_a_faulty_contact_is_never_completed() -> None:
    values = product([True, False], [True, False], [True, False], [None, 0, 10], [True, False])
    for cancelled, failed, delivered, matched, follow_up in values:
        ending = Ending(
            cancelled=cancelled, failed=failed, delivered=delivered, matched=matched, follow_up=follow_up, faulty=1
        )
        assert final_status(ending) is not RunStatus.COMPLETED


def test_a_run_that_delivered_everything_is_completed() -> None:
    assert final_status(FINE) is RunStatus.COMPLETED


def test_deciding_and_reporting_load_no_database_library() -> None:
    modules = "bulk_export.audit.ending, bulk_export.audit.report, bulk_export.quota"
    code = f"import sys, {modules}; print('sqlalchemy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
