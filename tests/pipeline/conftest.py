"""Fixtures of the pipeline's tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from workbench import Workbench


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    """An installation of its own for each test."""
    return Workbench(tmp_path)
