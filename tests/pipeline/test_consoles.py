"""No console is so poor that a command ends with anything but its own result."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from workbench import Workbench

NAME = "Añadido 山 — 👍"


def printed(bench: Workbench, encoding: str, *arguments: str, exit_code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bulk_export.cli", "--definitions", str(bench.definitions), *arguments],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        check=False,
    )
    assert done.returncode == exit_code, done.stderr
    assert b"Traceback" not in done.stderr
    assert b"INTERNAL_ERROR" not in done.stderr
    return (done.stdout + done.stderr).decode(encoding.partition(":")[0])


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "ascii:strict", "utf-8"])
def test_a_name_that_the_console_cannot_show_is_shown_escaped(bench: Workbench, encoding: str) -> None:
    bench.contacts([bench.call(1, seconds=0.1)])
    bench.export(name=NAME)
    (bench.definitions / "exports/falsch-ñ.yaml").write_text("name: 山\nserach: x\n", encoding="utf-8")

    record = json.loads(printed(bench, encoding, "run", "nightly", "--json"))

    assert (record["export_name"], record["status"]) == (NAME, "COMPLETED")
    key = record["run_key"]
    shown = printed(bench, encoding, "audit", "show", key)
    assert ("山" if encoding == "utf-8" else "\\u5c71") in shown
    assert json.loads(printed(bench, encoding, "audit", "show", key, "--json")) == record
    assert json.loads(printed(bench, encoding, "audit", "list", "--json")) == record
    printed(bench, encoding, "audit", "events", "--json")
    printed(bench, encoding, "validate", exit_code=2)
    printed(bench, encoding, "run", "山", exit_code=2)
    printed(bench, encoding, "verify", f"/nowhere/{NAME}", exit_code=1)
