"""What fuzzing starts from and has ever found, run by the ordinary tests: none of it is a finding any more."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CASES = sorted(path.relative_to(HERE / "corpus") for path in (HERE / "corpus").rglob("*") if path.is_file())


@pytest.mark.faults("definitions")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_it_is_no_finding(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE / "targets"))
    target = import_module(case.parts[0])
    assert Path(target.__file__ or "").is_relative_to(HERE), sys.path
    target.run((HERE / "corpus" / case).read_bytes())


def test_every_target_has_something_to_start_from() -> None:
    targets = {path.stem for path in (HERE / "targets").glob("*.py")}
    assert {case.parts[0] for case in CASES} == targets
