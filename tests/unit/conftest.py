"""A migrated state database per test: a SQLite file, and a database of a real PostgreSQL."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from bulk_export.state.database import open_state
from bulk_export.state.migrate import migrate
from bulk_export.state.records import NewRun, Trigger
from bulk_export.state.schema_version import HEAD, VERSION_TABLE
from bulk_export.state.tables import metadata
from postgres_server import PostgresServer, postgres_server  # noqa: F401

MakeRun = Callable[..., NewRun]
RunTogether = Callable[..., list[str]]


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def empty_state_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path}/state.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.new_database() as own:
        yield own.url


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer) -> Iterator[str]:  # noqa: F811
    """One migrated database, emptied for each test: migrating one for each would take most of the suite's time."""
    with postgres_server.new_database() as own:
        migrate(open_state(own.url))
        yield own.url


def empty_tables(url: str) -> None:
    """Leave the tables as a migration makes them."""
    with open_state(url).begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no triggers: they guard the events
        names = ", ".join(metadata.tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{HEAD}'"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite state database to copy: migrating one for each test would take most of the suite's time."""
    path = tmp_path_factory.mktemp("migrated") / "state.db"
    migrate(open_state(f"sqlite:///{path}"))
    return path


@pytest.fixture
def state_url(kind: str, request: pytest.FixtureRequest, migrated_file: Path, tmp_path: Path) -> str:
    if kind == "sqlite":
        shutil.copy(migrated_file, tmp_path / "state.db")
        return f"sqlite:///{tmp_path}/state.db"
    url: str = request.getfixturevalue("migrated_postgres")
    empty_tables(url)
    return url


@pytest.fixture
def state(state_url: str) -> Engine:
    return open_state(state_url)


@pytest.fixture
def make_run() -> MakeRun:
    def make(run_id: str = "export-weekly/scheduled__2026-11-23", **changed: Any) -> NewRun:
        given: dict[str, Any] = {
            "run_id": run_id,
            "export_id": "weekly",
            "export_name": "Weekly detractors",
            "version": "5f1d",
            "trigger": Trigger.SCHEDULE,
            "as_of": datetime(2026, 11, 23, 7, 30, tzinfo=UTC),
            "licence": "standard",
            "definitions": '{"search": {"id": "recent"}}',
            "destination_name": "archive",
            "destination_uri": "file:///srv/exports",
            "directory": "Weekly_detractors/20261123T073000Z_0123456789",
            "formats": {"audio_only": "wav", "transcripts": "json"},
        }
        return NewRun(**(given | changed))

    return make


@pytest.fixture
def run_together() -> RunTogether:
    """Run one script in several processes that all wait for the same signal; returns what each printed."""

    def together(script: str, arguments: list[list[str]]) -> list[str]:
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", _AT_ONCE + script, *given],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for given in arguments
        ]
        for process in processes:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert ready == "ready\n", process.communicate()[1]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        printed = []
        for process in processes:
            out, err = process.communicate(timeout=120)
            assert process.returncode == 0, err
            printed.append(out.strip())
        return printed

    return together


# Imports come first, so that the processes meet in the database and not in the import lock of the file system.
_AT_ONCE = """
import sys
from datetime import UTC, date, datetime
from bulk_export.state.database import open_state
from bulk_export.state.migrate import migrate
from bulk_export.state import migrations, reservations, runs
print("ready", flush=True)
sys.stdin.readline()
"""
