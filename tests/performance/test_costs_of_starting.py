"""What the command line loads to say what it can do."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    *("airflow", "alembic", "av", "boto3", "duckdb", "lxml", "numpy", "obstore", "orjson", "pandas", "psycopg"),
    *("pyarrow", "pydantic", "rich", "ruamel", "sqlalchemy", "yaml"),
}


def loaded_by(program: str) -> set[str]:
    words = f"import sys; before = set(sys.modules)\n{program}\nprint(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_help_loads_nothing_heavy_and_little_at_all() -> None:
    loaded = loaded_by("from bulk_export.cli import parser; parser().format_help()")
    assert {name.partition(".")[0] for name in loaded} & HEAVY == set()
    assert len(loaded) < 80


def test_the_stages_load_what_they_work_with_only_when_they_do() -> None:
    loaded = loaded_by("import bulk_export.pipeline, bulk_export.runs.request")
    heavy = {"alembic", "av", "boto3", "duckdb", "lxml", "numpy", "obstore", "pandas", "pyarrow", "sqlalchemy"}
    assert {name.partition(".")[0] for name in loaded} & heavy == set()
