"""Find the columns that keep Parquet files from being read."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from bulk_export.contacts.parquet_files import CatalogFile
from bulk_export.contacts.parquet_relation import relation
from bulk_export.errors import Problem


def damaged_columns(connection: duckdb.DuckDBPyConnection, files: Sequence[CatalogFile]) -> list[Problem]:
    """Every column of a file that cannot be read by itself."""
    return [
        Problem(file.name, 0, column, "cannot be read: damaged or not valid UTF-8")
        for file in files
        for column in file.columns
        if not _is_readable(connection, file, column)
    ]


def _is_readable(connection: duckdb.DuckDBPyConnection, file: CatalogFile, column: str) -> bool:
    source, parameters = relation([file], [column])
    try:
        # Lengths make DuckDB decode every value.
        connection.execute(f"SELECT max(len(CAST({column} AS VARCHAR))) FROM ({source})", parameters).fetchone()
    except duckdb.Error:
        return False
    return True
