"""How much is read when Airflow starts a task: counted, because a thousand exports must cost a task nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
# Prints the definition files that importing the DAG file opens.
PROGRAM = """
import sys
opened = set()
def note(event, arguments):
    # Opened folder by folder, so that their names are without one.
    if event == "open" and str(arguments[0]).endswith(".yaml") and "/" not in str(arguments[0]):
        opened.add(arguments[0])
sys.addaudithook(note)
import saved_exports
print(len(saved_exports.saved_export_dags()), *sorted(opened))
"""


@pytest.mark.slow
def test_a_task_that_starts_reads_its_own_definitions_only_however_many_there_are(tmp_path: Path) -> None:
    folder = shutil.copytree(PROJECT / "include/definitions", tmp_path / "definitions")
    for number in range(50):
        shutil.copy(folder / "exports/weekly-detractors.yaml", folder / f"exports/copy-{number}.yaml")
        shutil.copy(folder / "searches/recent-detractors.yaml", folder / f"searches/copy-{number}.yaml")
    environment = {"BULK_EXPORT_DEFINITIONS": str(folder), "_AIRFLOW_PARSING_CONTEXT_DAG_ID": "export-copy-7"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=PROJECT / "dags",
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["1", "copy-7.yaml", "recent-detractors.yaml", "settings.yaml"]
