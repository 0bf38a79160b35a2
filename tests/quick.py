"""`pytest --quick`: leave out tests that start a server or an Airflow, and tests marked slow."""

from __future__ import annotations

from typing import Any

import pytest

# Fixtures that start one.
SERVERS = {"s3_server", "azure_server", "postgres_server", "fab_server", "running_airflow", "browser", "cluster"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out what starts a server, and what is marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("quick"):
        slow = [item for item in items if item.get_closest_marker("slow")]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if not item.get_closest_marker("slow")]


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
    # Only here: some tests ask for a server while they run, and pytest wants a fixture that fails to fail by itself.
    if request.config.getoption("quick") and fixturedef.argname in SERVERS:
        fixturedef.func = _refuse  # type: ignore[misc]


def _refuse(**_: object) -> None:
    pytest.skip("a quick run starts no server")
