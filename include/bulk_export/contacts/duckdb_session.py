"""A DuckDB in memory, within limits, for one call.

It spills to a folder of its own and never downloads anything.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bulk_export.errors import BulkExportError, error_of
from bulk_export.storage.faults import Cause, cause_of, scratch_error, scratch_faults

_SHOWN = 300
# Longest first: "No such device or address" begins as "No such device" does.
_WORDS = sorted({os.strerror(number): number for number in errno.errorcode}.items(), key=lambda pair: -len(pair[0]))


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
        TransientError: the spill folder cannot be made.
        duckdb.Error: whatever the caller's queries raise.
    """
    # Two processes must not share a spill folder: DuckDB names its files the same in each.
    with scratch_faults(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=scratch, prefix="duckdb-", ignore_cleanup_errors=True)
    with folder as spill:
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


def duckdb_fault(error: duckdb.Error, store: str, scratch: Path) -> BulkExportError:
    """What an input or output error of DuckDB means.

    It writes to its spill folder and to scratch files only; whatever else it touches is the contact store's.

    Args:
        error: DuckDB's, which has the operating system's words in its text.
        store: address of the contact store.
        scratch: folder of unfinished files.
    """
    text = str(error).split("\n")[0]
    if isinstance(error, duckdb.OutOfMemoryException):
        return error_of("MACHINE_EXHAUSTED", f"contact store {store} could not be read: {text[:_SHOWN]}")
    number = _errno_in(text)
    if str(scratch) in text or re.search(r"\bwrit(e|ing)\b", text):
        return scratch_error(OSError(number, ""), scratch)
    code = {Cause.DENIED: "STORE_DENIED", Cause.EXHAUSTED: "MACHINE_EXHAUSTED"}.get(
        cause_of(OSError(number, "")), "STORE_UNREACHABLE"
    )
    return error_of(code, f"contact store {store} could not be read: {text[:_SHOWN]}")


def _errno_in(text: str) -> int:
    if told := re.search(r'"errno":"(\d+)"', text):
        return int(told[1])
    return next((number for words, number in _WORDS if words in text), errno.EIO)
