"""Whole runs in a process of their own that counts what they do: opened files, processes, statements, bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "pipeline"))
sys.path.insert(0, str(Path(__file__).parent))

from counting import Counted, CountRun
from workbench import Workbench

COUNTED_RUN = Path(__file__).with_name("counted_run.py")


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """An installation of its own for each test."""
    return Workbench(tmp_path)


@pytest.fixture
def count_run() -> CountRun:
    """Run the export `nightly` of an installation, counting."""

    def run(bench: Workbench) -> Counted:
        command = [sys.executable, str(COUNTED_RUN), str(bench.root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stderr
        return Counted(**json.loads(done.stdout.splitlines()[-1]))

    return run
