"""The pure decision; closing records is tested in state/test_close_audit.py, the words in test_audit_report.py."""

from __future__ import annotations

from itertools import product

import pytest

from bulk_export.audit import Ending, final_status
from bulk_export.state.records import RunStatus

FINE = Ending(cancelled=False, failed=False, delivered=True, matched=10, follow_up=False, faulty=0)


def _lines_of_the_table() -> list[tuple[str, str]]:
    lines = [line.strip() for line in (final_status.__doc__ or "").splitlines() if line.strip().startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [(" ".join(row[:-1]), row[-1]) for row in cells[1:] if row[0] in {"yes", "no"}]


def _endings_of(line: str) -> list[Ending]:
    cancelled, failed, delivered, matched, follow_up, faulty = line.split(" ") if ">" not in line else _split(line)
    truth = {"yes": [True], "no": [False], "-": [True, False]}
    matches = {"0": [0], "> 0": [10], "-": [None, 0, 10]}[matched]
    faults = {"0": [0], "> 0": [3], "-": [0, 3]}[faulty]
    combinations = product(truth[cancelled], truth[failed], truth[delivered], matches, truth[follow_up], faults)
    names = ("cancelled", "failed", "delivered", "matched", "follow_up", "faulty")
    return [Ending(**dict(zip(names, values, strict=True))) for values in combinations]


def _split(line: str) -> list[str]:
    return [cell.replace(">0", "> 0") for cell in line.replace("> 0", ">0").split(" ")]


@pytest.mark.parametrize(("line", "status"), _lines_of_the_table())
def test_the_status_follows_the_table_in_the_docstring(line: str, status: str) -> None:
    for ending in _endings_of(line):
        assert final_status(ending) is RunStatus(status), ending


def test_the_table_has_a_line_for_every_end_of_a_run() -> None:
    ends = set(RunStatus) - {RunStatus.QUEUED, RunStatus.RUNNING}
    assert {status for _, status in _lines_of_the_table()} == ends


def test_a_run_with_a_faulty_contact_is_never_completed() -> None:
    values = product([True, False], [True, False], [True, False], [None, 0, 10], [True, False])
    for cancelled, failed, delivered, matched, follow_up in values:
        ending = Ending(
            cancelled=cancelled, failed=failed, delivered=delivered, matched=matched, follow_up=follow_up, faulty=1
        )
        assert final_status(ending) is not RunStatus.COMPLETED


def test_a_run_that_delivered_everything_is_completed() -> None:
    assert final_status(FINE) is RunStatus.COMPLETED
