"""Targets run side by side: every one's output is shown, every one's failure counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from run_targets import run_targets

MAKEFILE = """
good:
\t@until [ -e other ]; do sleep 0.05; done; echo good is done
other:
\t@touch other; echo other is done
bad:
\t@echo what went wrong >&2; exit 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    return tmp_path


def test_targets_run_at_the_same_time_and_show_what_they_say(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_targets(["good", "other"], folder) == 0
    out = capfd.readouterr().out
    assert "good is done" in out
    assert "other is done" in out
    assert (folder / "var/log/make-good.log").read_text() == "good is done\n"


def test_one_that_fails_fails_the_whole_after_the_others_have_ended(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_targets(["bad", "good", "other"], folder) == 1
    out = capfd.readouterr().out
    assert "what went wrong" in out
    assert "good is done" in out
    assert re.search(r"^make bad: \d+ s, FAILED \(2\)$", out, re.M)
    assert re.search(r"^make good: \d+ s, passed$", out, re.M)
