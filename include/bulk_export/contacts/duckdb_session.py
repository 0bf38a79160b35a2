"""A DuckDB in memory, within limits, for one call.

It spills to a folder of its own and never downloads anything.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True, slots=True)
class Limits:
    """What one DuckDB may use.

    Attributes:
        memory_limit: as DuckDB writes sizes, such as `512MB`; more than that goes to the scratch folder.
        threads: worker threads.
    """

    memory_limit: str
    threads: int


@contextmanager
def duckdb_session(scratch: Path, limits: Limits) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB whose session time zone is UTC.

    Its spill folder below `scratch` goes with it.

    Raises:
        duckdb.Error: whatever the caller's queries raise.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    # Two processes must not share a spill folder: DuckDB names its files the same in each.
    with tempfile.TemporaryDirectory(dir=scratch, prefix="duckdb-") as spill:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": limits.memory_limit,
            "threads": limits.threads,
            "temp_directory": spill,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            # Python variables are not tables: a query sees only what is registered.
            "python_enable_replacements": False,
        }
        with duckdb.connect(":memory:", config=config) as connection:
            with suppress(duckdb.CatalogException):  # a build without ICU knows no other zone than UTC
                connection.execute("SET TimeZone = 'UTC'")
            yield connection
