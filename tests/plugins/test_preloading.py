"""What the processes that tasks are forked from have loaded for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
# What a task process of this project does before and in its stage, as far as imports go.
TASK = "import bulk_export.stages.check_quota, bulk_export.contacts.parquet, bulk_export.contacts_csv.writer"
LARGE = {"boto3", "duckdb", "jinja2", "lxml", "numpy", "orjson", "pandas", "pyarrow", "pydantic", "sqlalchemy"}


def loaded(*arguments: str, then: str = "") -> tuple[set[str], set[str]]:
    """Packages in memory after the import that Airflow makes, and those that come with `then`."""
    code = (
        f"import json, sys; sys.path.append({str(PROJECT / 'plugins')!r})\n"
        f"sys.argv = ['airflow', *{list(arguments)!r}]\n"
        "import airflow_local_settings\n"
        "first = set(sys.modules)\n"
        f"{then}\n"
        "tops = lambda names: sorted({name.partition('.')[0] for name in names})\n"
        "print(json.dumps([tops(first), tops(set(sys.modules) - first)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, later = json.loads(done.stdout.splitlines()[-1])
    return set(first), set(later)


@pytest.mark.parametrize("arguments", [("scheduler",), ("scheduler", "--skip-serve-logs"), ("celery", "worker")])
@pytest.mark.slow
def test_what_forks_tasks_has_loaded_the_packages_of_their_stages_and_nothing_of_the_project(
    arguments: tuple[str, ...],
) -> None:
    first, later = loaded(*arguments, then=TASK)
    assert first >= LARGE
    assert "bulk_export" not in first and "bulk_export" in later
    assert not later & (LARGE - {"sqlalchemy", "pyarrow"})


@pytest.mark.parametrize("arguments", [("api-server",), ("dag-processor",), ("dags", "list"), ()])
def test_other_programs_load_nothing_for_it(arguments: tuple[str, ...]) -> None:
    first, _ = loaded(*arguments)
    assert not first & LARGE
