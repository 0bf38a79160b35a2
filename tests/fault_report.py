"""`pytest -m faults --faults-report FILE`: count by kind which injected faults converged.

A test injects one fault, unless it says how many by the fixture `injected_faults`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from fault_kinds import FAULT_KINDS

_KIND, _COUNT = "fault_kind", "injected_faults"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--faults-report", metavar="FILE", help="count the injected faults by kind, as JSON")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "faults(kind): injects faults of a kind, one of tests/fault_kinds.py")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Report(config.getoption("faults_report")))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if marker := item.get_closest_marker("faults"):
            if marker.args[0] not in FAULT_KINDS:
                raise pytest.UsageError(f"{item.nodeid}: no kind of fault is called {marker.args[0]}")
            item.user_properties.append((_KIND, marker.args[0]))


class InjectedFaults:
    """Counts what one test injects beyond one fault."""

    def __init__(self, item: pytest.Item) -> None:
        self._item = item

    def add(self, injected: int, converged: int) -> None:
        """So many faults, of which so many converged."""
        self._item.user_properties.append((_COUNT, [injected, converged]))


@pytest.fixture
def injected_faults(request: pytest.FixtureRequest) -> InjectedFaults:
    """For a test that injects many."""
    return InjectedFaults(request.node)


class _Report:
    """Faults by kind, of all processes."""

    def __init__(self, file: str | None) -> None:
        self._file = file
        self._injected: Counter[str] = Counter()
        self._converged: Counter[str] = Counter()
        self._skipped: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one test, once."""
        kind = next((str(value) for name, value in report.user_properties if name == _KIND), None)
        if kind is None or (report.when != "call" and report.passed):
            return
        if report.skipped:
            self._skipped[kind] += 1
            return
        counts = [value for name, value in report.user_properties if name == _COUNT and isinstance(value, list)]
        injected = sum(count[0] for count in counts) or 1
        converged = sum(count[1] for count in counts) if counts else injected
        self._injected[kind] += injected
        self._converged[kind] += converged if report.passed else min(converged, injected - 1)

    def pytest_sessionfinish(self) -> None:
        """Write the report where one is asked for."""
        if self._file:
            kinds = {
                known.label: {
                    "injected": self._injected[kind],
                    "converged": self._converged[kind],
                    "tests_skipped": self._skipped[kind],
                }
                for kind, known in FAULT_KINDS.items()
            }
            path = Path(self._file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(kinds, indent=1) + "\n", encoding="utf-8")
