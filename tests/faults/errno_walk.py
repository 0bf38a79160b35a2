"""Run exports while system calls fail, one case after the other: started by test_errno_walk.py with the shim in it.

Reads cases as JSON lines from standard input and writes what became of each as a JSON line. Each case begins with an
installation of its own, runs `bulk-export run` with the calls failing, and then again without.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "tests/pipeline"), str(PROJECT / "tests/faults")]

from errno_plan import Failing, Plan  # noqa: E402
from workbench import Workbench  # noqa: E402

from bulk_export.bag.verify import verify_run  # noqa: E402
from bulk_export.cli import main as bulk_export  # noqa: E402
from bulk_export.error_codes import ERROR_CODES  # noqa: E402
from bulk_export.state.records import RunRecord, RunStatus  # noqa: E402
from bulk_export.state.runs import RunFilters, list_runs  # noqa: E402
from bulk_export.storage.local import LocalStorage  # noqa: E402

_CODE = re.compile(r"\b([A-Z]+(?:_[A-Z]+)+)\b")


def main(template: Path, folder: Path, plan_file: Path) -> None:
    plan = Plan(plan_file)
    for number, line in enumerate(sys.stdin):
        case = json.loads(line)
        root = shutil.copytree(template, folder / f"{number:05d}")
        try:
            found = _walked(Workbench.at(root), case, plan)
        finally:
            plan.disarm()
        shutil.rmtree(root)
        print(json.dumps(case | found), flush=True)


def _walked(bench: Workbench, case: dict[str, Any], plan: Plan) -> dict[str, Any]:
    said = io.StringIO()
    command = ["--definitions", str(bench.definitions), "run", case["export"]]
    plan.arm(Failing(**case["failing"]))
    with redirect_stdout(said), redirect_stderr(said):
        try:
            exit_code = bulk_export(command)
        except SystemExit as end:
            exit_code = f"SystemExit({end.code})"
    plan.disarm()
    answer = said.getvalue()
    found = {"injected": plan.injected, "calls": plan.calls, "exit": exit_code, "answer": answer}
    return found | {"wrong": [*_unnamed(answer, exit_code), *_half_delivered(bench), *_not_converged(bench, case)]}


def _unnamed(answer: str, exit_code: object) -> list[str]:
    """What no answer may hold, and what that of a failed run must."""
    wrong = [word for word in ("INTERNAL_ERROR", "Traceback") if word in answer]
    if exit_code not in {0, 1, 2, 3}:
        wrong.append(f"exit code {exit_code}")
    if exit_code in {1, 2} and not [code for code in _CODE.findall(answer) if code in ERROR_CODES]:
        wrong.append("no code")
    return wrong


def _half_delivered(bench: Workbench) -> list[str]:
    """A directory with a marker is whole, whatever failed."""
    markers = (bench.root / "exports").rglob("tagmanifest-sha256.txt")
    return [str(fault) for marker in markers for fault in verify_run(LocalStorage(marker.parent)).faults]


def _not_converged(bench: Workbench, case: dict[str, Any]) -> list[str]:
    """Run again without a failing call, everything is delivered once."""
    runs = list_runs(bench.site().engine, RunFilters(), limit=2)
    first = runs[0] if runs else None
    again = bench.run(case["export"], **({"run_id": first.run_id} if first else {}))
    delivered = again.exported
    if again.status is RunStatus.COMPLETED_WITH_ERRORS:
        again = bench.run(case["export"], parameters={"retry_failed_of": again.run_id})
        delivered += again.exported
    wrong = [] if again.status is RunStatus.COMPLETED else [f"then {again.status} {again.error_code}"]
    wrong += [] if delivered == case["contacts"] else [f"then {delivered} contacts"]
    return wrong + _strange_files(bench, again)


def _strange_files(bench: Workbench, record: RunRecord) -> list[str]:
    unfinished = [path.name for path in bench.directory(record).rglob(".part-*")]
    faults = verify_run(LocalStorage(bench.directory(record))).faults if record.published else ()
    return [*unfinished, *map(str, faults)]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
