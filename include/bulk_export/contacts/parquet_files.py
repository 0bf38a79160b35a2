"""Check the columns of Parquet files; make one relation of them.

Only footers are read. Files may differ: in column order, in columns they lack, and in types that hold the same values
(int32 for int64, dictionary text, timestamps of any unit, with or without a zone, columns of nothing but nulls). Files
alike in this are read together. A key=value directory fills a column its files lack.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from bulk_export.contacts.schema import NEVER_NULL, REQUIRED, STORE_COLUMNS, ColumnType
from bulk_export.errors import Problem

if TYPE_CHECKING:
    from bulk_export.contacts.parquet_catalog import FoundFile

_INT64_BITS = 64
_NOTHING = "null"
_SMALL_FLOAT = "small float"
_ZONED_NANOSECONDS = "zoned nanoseconds"
_FROM_DIRECTORY = "directory"
_SQL_TYPES: Mapping[ColumnType, str] = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.DECIMAL: "DOUBLE",
    ColumnType.YES_NO: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.TIMESTAMP: "TIMESTAMP",
    ColumnType.MAP: "MAP(VARCHAR, VARCHAR)",
}


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """One Parquet file as its footer describes it.

    Attributes:
        address: where DuckDB finds it.
        name: path below the store's root, for messages.
        rows: how many contacts it holds.
        columns: how each known column is held (see `_held`); columns it lacks are absent.
        ignored: columns no field uses.
        nulls: nulls per column of `NEVER_NULL`; -1 where the footer does not say.
        problems: what is wrong with it, as (column, message).
    """

    address: str
    name: str
    rows: int
    columns: Mapping[str, str]
    ignored: tuple[str, ...]
    nulls: Mapping[str, int]
    problems: tuple[tuple[str, str], ...]


def inspect(found: FoundFile, content: Path | BinaryIO) -> CatalogFile:
    """Read one footer.

    Raises:
        OSError: the file cannot be opened.
        RefusedError, TransientError: its bucket denies it, or does not answer.
    """
    name, address = found.name, found.address
    try:
        with pq.ParquetFile(content) as file:
            schema, metadata = file.schema_arrow, file.metadata
            nulls = {column: _nulls(file, column) for column in NEVER_NULL if column in schema.names}
    except (pa.ArrowException, UnicodeDecodeError) as error:
        problem = ("", f"is not a readable Parquet file ({_first_line(error)})")
        return CatalogFile(address, name, 0, {}, (), {}, (problem,))
    columns: dict[str, str] = {}
    problems: list[tuple[str, str]] = []
    counted = Counter(column.lower() for column in schema.names)
    for column, kind in STORE_COLUMNS.items():
        if counted[column] > 1:
            problems.append((column, "is there more than once (names differ only in case)"))
        elif column in schema.names:
            held = _held(schema.field(column).type, kind)
            if held is None:
                problems.append((column, f"is {schema.field(column).type}, not {kind}"))
            else:
                columns[column] = held
        elif column in _directory_keys(name) and kind is ColumnType.TEXT:
            columns[column] = _FROM_DIRECTORY
        elif column in REQUIRED:
            problems.append((column, "is required and missing"))
    ignored = tuple(column for column in schema.names if column not in STORE_COLUMNS)
    return CatalogFile(address, name, metadata.num_rows, columns, ignored, nulls, tuple(problems))


def file_problems(files: Sequence[CatalogFile]) -> list[Problem]:
    """Everything wrong with the files, each fault once.

    Each names the first file that has it, and how many more.
    """
    faulty: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in files:
        for fault in file.problems:
            faulty[fault].append(file.name)
        for column, count in file.nulls.items():
            if count > 0:
                faulty[column, f"is null in {count} of {file.rows} contacts"].append(file.name)
    return [
        Problem(names[0], 0, column, message + (f" (and in {len(names) - 1} more files)" if len(names) > 1 else ""))
        for (column, message), names in faulty.items()
    ]


def relation(files: Sequence[CatalogFile], columns: Sequence[str]) -> tuple[str, list[object]]:
    """A query of these columns over all files, and its parameters.

    Every column has its one SQL type; NaN and infinity are null; timestamps are UTC without a zone. The session's time
    zone must be UTC.
    """
    alike: dict[tuple[str | None, ...], list[CatalogFile]] = defaultdict(list)
    for file in files:
        keys = _directory_keys(file.name) if _FROM_DIRECTORY in file.columns.values() else ()
        alike[(*(file.columns.get(column) for column in columns), *keys)].append(file)
    queries: list[str] = []
    parameters: list[object] = []
    for members in alike.values():
        held = members[0].columns
        selected = ", ".join(f"{_expression(column, held.get(column))} AS {column}" for column in columns)
        hive = _FROM_DIRECTORY in held.values()
        options = f"hive_partitioning = {str(hive).lower()}" + (", hive_types_autocast = false" if hive else "")
        queries.append(f"SELECT {selected} FROM read_parquet(?, {options})")
        parameters.append([member.address for member in members])
    return " UNION ALL ".join(queries), parameters


def _expression(column: str, held: str | None) -> str:
    sql_type = _SQL_TYPES[STORE_COLUMNS[column]]
    quoted = f'"{column}"'
    if held is None or held == _NOTHING:
        return f"CAST(NULL AS {sql_type})"
    if held == _SMALL_FLOAT:
        # Through its shortest decimal form: a float32 of 0.3 is 0.3, not 0.30000001192092896.
        return f"CASE WHEN isfinite({quoted}) THEN CAST(CAST({quoted} AS VARCHAR) AS DOUBLE) END"
    if held == ColumnType.DECIMAL:
        # NaN is no value, and DuckDB orders it above every number. Not isnan(): Parquet statistics leave NaN out, and
        # DuckDB 2.0 concludes from them that nothing is NaN, so that `> 0` would find it.
        return f"CASE WHEN isfinite({quoted}) THEN {quoted} END"
    if held == _ZONED_NANOSECONDS:
        # DuckDB 2.0 has no direct cast.
        return f"CAST(CAST({quoted} AS TIMESTAMPTZ) AS TIMESTAMP)"
    return f"CAST({quoted} AS {sql_type})"


def _held(arrow_type: pa.DataType, wanted: ColumnType) -> str | None:
    """How a column of this Arrow type can be read as the wanted one; None when it cannot without loss."""
    if types.is_dictionary(arrow_type):
        arrow_type = arrow_type.value_type
    if types.is_null(arrow_type):
        return _NOTHING
    whole = types.is_signed_integer(arrow_type) or (
        types.is_unsigned_integer(arrow_type) and arrow_type.bit_width < _INT64_BITS
    )
    match wanted:
        case ColumnType.TEXT:
            fits = _is_text(arrow_type)
        case ColumnType.INTEGER:
            fits = whole
        case ColumnType.DECIMAL:
            if types.is_float16(arrow_type) or types.is_float32(arrow_type):
                return _SMALL_FLOAT
            if whole:
                return "whole"
            fits = types.is_float64(arrow_type)
        case ColumnType.YES_NO:
            fits = types.is_boolean(arrow_type)
        case ColumnType.DATE:
            fits = types.is_date(arrow_type)
        case ColumnType.TIMESTAMP:
            if types.is_timestamp(arrow_type) and arrow_type.unit == "ns" and arrow_type.tz:
                return _ZONED_NANOSECONDS
            fits = types.is_timestamp(arrow_type)
        case ColumnType.MAP:
            fits = types.is_map(arrow_type) and _is_text(arrow_type.key_type) and _is_text(arrow_type.item_type)
    return str(wanted) if fits else None


def _is_text(arrow_type: pa.DataType) -> bool:
    if types.is_dictionary(arrow_type):
        arrow_type = arrow_type.value_type
    return bool(
        types.is_string(arrow_type)
        or types.is_large_string(arrow_type)
        or types.is_string_view(arrow_type)
        or types.is_null(arrow_type)
    )


def _nulls(file: pq.ParquetFile, column: str) -> int:
    """Nulls of a column as the footer counts them, -1 where it does not."""
    metadata = file.metadata
    position = next((at for at in range(metadata.num_columns) if metadata.schema.column(at).path == column), None)
    if position is None:
        return -1
    total = 0
    for group in range(metadata.num_row_groups):
        statistics = metadata.row_group(group).column(position).statistics
        if statistics is None or not statistics.has_null_count:
            return -1
        total += statistics.null_count
    return total


def _directory_keys(name: str) -> tuple[str, ...]:
    return tuple(_keys(name))


def _keys(name: str) -> Iterator[str]:
    for part in name.split("/")[:-1]:
        key, equals, _ = part.partition("=")
        if equals and key:
            yield key


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
