"""Load once what every task would load for itself.

Airflow imports this module by its name in each of its programs.

A task is forked from the scheduler's process or from a Celery worker's; what those have loaded is there for it, and it
was a third of the time of a run of short tasks. Nothing of the project itself belongs here: a task shall run the code
that is on the disk when it starts. Packages do whose threads and locks live through a fork (Arrow's and OpenBLAS's do).

A module of this name in `$AIRFLOW_HOME/config` comes before this one; it may end with the lines below.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys

FORKS_TASKS = frozenset({"scheduler", "celery"})
PRELOADED: tuple[str, ...] = (
    "airflow.providers.standard.operators.python",
    "boto3",
    "duckdb",
    "jinja2.sandbox",
    "lxml.etree",
    "orjson",
    "pyarrow.compute",
    "pyarrow.parquet",
    "pydantic",
    "sqlalchemy",
)

# Nothing here needs it, but Arrow loads it wherever it is installed.
if importlib.util.find_spec("pandas") is not None:
    PRELOADED = (*PRELOADED, "pandas")

if FORKS_TASKS.intersection(sys.argv[1:2]):
    for name in PRELOADED:
        importlib.import_module(name)
