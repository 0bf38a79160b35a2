"""Where the tests of faults find the installation of the pipeline's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "pipeline")]

from workbench import Workbench  # noqa: E402


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """An installation of its own for each test."""
    return Workbench(tmp_path / "bench")
