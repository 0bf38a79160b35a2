"""Find the columns and cells that keep Parquet files from being read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from bulk_export.contacts.parquet_files import CatalogFile
from bulk_export.contacts.parquet_relation import relation
from bulk_export.contacts.schema import STORE_COLUMNS, ColumnType
from bulk_export.errors import Problem

LARGEST_CELL_BYTES = 64 * 2**20
_LONG_TYPES = {ColumnType.TEXT, ColumnType.MAP}


def damaged_columns(connection: duckdb.DuckDBPyConnection, files: Sequence[CatalogFile]) -> list[Problem]:
    """Every column of a file that cannot be read by itself."""
    return [
        Problem(file.name, 0, column, "cannot be read: damaged or not valid UTF-8")
        for file in files
        for column in file.columns
        if not _is_readable(connection, file, column)
    ]


def read_every_value(connection: duckdb.DuckDBPyConnection, files: Sequence[CatalogFile]) -> None:
    """Decode all there is; raises what DuckDB raises."""
    columns = list(STORE_COLUMNS)
    source, parameters = relation(files, columns)
    # Lengths make DuckDB decode every value.
    lengths = ", ".join(f"max(len(CAST({column} AS VARCHAR)))" for column in columns)
    connection.execute(f"SELECT {lengths} FROM ({source})", parameters).fetchone()


def oversized_cells(
    files: Sequence[CatalogFile], opened: Callable[[CatalogFile], Path | BinaryIO]
) -> Iterator[Problem]:
    """Texts that are larger than any that a run can read.

    By file, column and contact.

    Footers tell how large a column is; only one that may hold such a text is read.
    """
    for file in files:
        long = [column for column in file.columns if STORE_COLUMNS[column] in _LONG_TYPES and file.types[column]]
        with pq.ParquetFile(opened(file)) as content:
            for group in range(content.num_row_groups):
                for column in _large_columns(content, group, long):
                    yield from _large_cells(content, group, file, column)


def _large_columns(content: pq.ParquetFile, group: int, columns: Sequence[str]) -> list[str]:
    sizes: dict[str, int] = {}
    row_group = content.metadata.row_group(group)
    for number in range(row_group.num_columns):
        chunk = row_group.column(number)
        column = chunk.path_in_schema.partition(".")[0]
        sizes[column] = sizes.get(column, 0) + chunk.total_uncompressed_size
    return [column for column in columns if sizes.get(column, 0) > LARGEST_CELL_BYTES]


def _large_cells(content: pq.ParquetFile, group: int, file: CatalogFile, column: str) -> Iterator[Problem]:
    wanted = [column, *(["contact_id"] if file.types.get("contact_id") else [])]
    for batch in content.iter_batches(batch_size=1, row_groups=[group], columns=wanted):
        size = _bytes_of(batch.column(column))
        if size > LARGEST_CELL_BYTES:
            contact = f" in contact {batch.column('contact_id')[0].as_py()}" if len(wanted) > 1 else ""
            most = f"the largest text that can be read has {LARGEST_CELL_BYTES:,}"
            yield Problem(file.name, 0, column, f"has {size:,} bytes{contact}: {most}")


def _bytes_of(cell: pa.Array) -> int:
    if isinstance(cell, pa.DictionaryArray):
        cell = cell.dictionary_decode()
    return int(cell.nbytes)


def _is_readable(connection: duckdb.DuckDBPyConnection, file: CatalogFile, column: str) -> bool:
    source, parameters = relation([file], [column])
    try:
        connection.execute(f"SELECT max(len(CAST({column} AS VARCHAR))) FROM ({source})", parameters).fetchone()
    except duckdb.Error:
        return False
    return True
