"""A migrated state database per test: a SQLite file, and PostgreSQL where BULK_EXPORT_TEST_POSTGRES_URL names one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from bulk_export.state.database import migrate, open_state
from bulk_export.state.records import NewRun, Trigger

POSTGRES_URL = os.environ.get("BULK_EXPORT_TEST_POSTGRES_URL", "")

MakeRun = Callable[..., NewRun]
RunTogether = Callable[..., list[str]]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_state_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables; on PostgreSQL a schema of its own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/state.db"
        return
    if not POSTGRES_URL:
        pytest.skip("BULK_EXPORT_TEST_POSTGRES_URL names no PostgreSQL database")
    schema = f"test_{uuid.uuid4().hex}"
    server = open_state(POSTGRES_URL)
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{POSTGRES_URL}?options=-csearch_path%3D{schema}"
    with server.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite state database to copy: migrating one for each test would take most of the suite's time."""
    path = tmp_path_factory.mktemp("migrated") / "state.db"
    migrate(open_state(f"sqlite:///{path}"))
    return path


@pytest.fixture
def state_url(empty_state_url: str, migrated_file: Path, tmp_path: Path) -> str:
    if empty_state_url.startswith("sqlite"):
        shutil.copy(migrated_file, tmp_path / "state.db")
    else:
        migrate(open_state(empty_state_url))
    return empty_state_url


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
from bulk_export.state.database import migrate, open_state
from bulk_export.state import migrations, reservations, runs
print("ready", flush=True)
sys.stdin.readline()
"""
