"""Check the columns of Parquet files.

Only footers are read. Files may differ: in column order, in columns they lack, and in types that hold the same values
(int32 for int64, dictionary text, timestamps of any unit, with or without a zone, columns of nothing but nulls). A
key=value directory fills a column its files lack, and must not contradict one they have. A name that must have meant a
known column is refused.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from bulk_export.contacts.column_names import mistaken_names, shown
from bulk_export.contacts.column_values import agrees
from bulk_export.contacts.hive_values import UNKNOWN, Unknown, folder_keys, folder_value
from bulk_export.contacts.schema import NEVER_NULL, REQUIRED, STORE_COLUMNS, ColumnType
from bulk_export.errors import Problem

if TYPE_CHECKING:
    from bulk_export.contacts.catalog_files import FoundFile

_INT64_BITS = 64
NOTHING = "null"
SMALL_FLOAT = "small float"
ZONED_NANOSECONDS = "zoned nanoseconds"
FROM_DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class CatalogFile:
    """One Parquet file as its footer describes it.

    Attributes:
        address: where DuckDB finds it.
        name: path below the store's root, for messages.
        rows: how many contacts it holds.
        columns: how each known column is held (see `_held`); columns it lacks are absent.
        types: the exact type of each: DuckDB reads files together in the type of the first of them.
        folder_values: of the columns that its key=value directories give, as text; None for null.
        ignored: columns no field uses.
        nulls: nulls per column of `NEVER_NULL`; -1 where the footer does not say.
        problems: what is wrong with it, as (column, message).
    """

    address: str
    name: str
    rows: int
    columns: Mapping[str, str]
    types: Mapping[str, str]
    folder_values: Mapping[str, str | None]
    ignored: tuple[str, ...]
    nulls: Mapping[str, int]
    problems: tuple[tuple[str, str], ...]


def unusable_file(name: str, problem: str) -> CatalogFile:
    """A place that cannot be read, as a file with that problem."""
    return CatalogFile("", name, 0, {}, {}, {}, (), {}, (("", problem),))


def inspect(found: FoundFile, content: Path | BinaryIO) -> CatalogFile:
    """Read one footer.

    Raises:
        OSError: the file cannot be opened.
        RefusedError, TransientError: its bucket denies it, or does not answer.
    """
    try:
        with pq.ParquetFile(content) as file:
            return _Inspection(file, found.name).described(found.address)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        return unusable_file(found.name, f"is not a readable Parquet file ({_first_line(error)})")


class _Inspection:
    """One file, column by column."""

    def __init__(self, file: pq.ParquetFile, name: str) -> None:
        self._file, self._schema, self._name = file, file.schema_arrow, name
        self._rows = file.metadata.num_rows
        self._folders = folder_keys(name)
        self._columns: dict[str, str] = {}
        self._types: dict[str, str] = {}
        self._values: dict[str, str | None] = {}
        self._problems: list[tuple[str, str]] = []

    def described(self, address: str) -> CatalogFile:
        """The file as the store knows it."""
        names = self._schema.names
        nulls = {column: _nulls(self._file, column) for column in NEVER_NULL if column in names}
        counted = Counter(column.lower() for column in names)
        for column, kind in STORE_COLUMNS.items():
            if counted[column] > 1:
                self._problems.append((column, "is there more than once (names differ only in case)"))
            elif column in names:
                self._take_column(column, kind)
            elif column in self._folders:
                self._take_folder(column, kind)
                if column in NEVER_NULL and column in self._columns:
                    nulls[column] = self._rows if self._values[column] is None else 0
            elif column in REQUIRED:
                self._problems.append((column, "is required and missing"))
        told = {column for column, _ in self._problems if counted[column] > 1}
        self._problems += [
            (column, problem) for column, problem in mistaken_names([*names, *self._folders]) if column not in told
        ]
        ignored = tuple(column for column in names if column not in STORE_COLUMNS)
        return CatalogFile(
            address,
            self._name,
            self._rows,
            self._columns,
            self._types,
            self._values,
            ignored,
            nulls,
            tuple(self._problems),
        )

    def _take_column(self, column: str, kind: ColumnType) -> None:
        arrow_type = self._schema.field(column).type
        held = _held(arrow_type, kind)
        if held is None:
            self._problems.append((column, f"is {arrow_type}, not {kind}"))
            return
        self._columns[column], self._types[column] = held, str(arrow_type)
        if column in self._folders:
            value = self._folder_value(column, kind)
            if value is not UNKNOWN and not agrees(self._file, column, value):
                self._problems.append((column, "differs from what its directory says: keep one of them"))

    def _take_folder(self, column: str, kind: ColumnType) -> None:
        value = self._folder_value(column, kind)
        if value is not UNKNOWN:
            self._columns[column], self._types[column] = FROM_DIRECTORY, ""
            self._values[column] = value

    def _folder_value(self, column: str, kind: ColumnType) -> str | Unknown | None:
        """What the directories say of a column; the problem is noted where that is nothing."""
        first, *others = self._folders[column]
        if any(other != first for other in others):
            self._problems.append((column, "is given by two directories, which differ"))
            return UNKNOWN
        try:
            return folder_value(first, kind)
        except ValueError as error:
            self._problems.append((column, f"its directory {error}: {shown(f'{column}={first}')}"))
            return UNKNOWN


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


def _held(arrow_type: pa.DataType, wanted: ColumnType) -> str | None:
    """How a column of this Arrow type can be read as the wanted one; None when it cannot without loss."""
    if types.is_dictionary(arrow_type):
        arrow_type = arrow_type.value_type
    if types.is_null(arrow_type):
        return NOTHING
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
                return SMALL_FLOAT
            if whole:
                return "whole"
            fits = types.is_float64(arrow_type)
        case ColumnType.YES_NO:
            fits = types.is_boolean(arrow_type)
        case ColumnType.DATE:
            fits = types.is_date(arrow_type)
        case ColumnType.TIMESTAMP:
            if types.is_timestamp(arrow_type) and arrow_type.unit == "ns" and arrow_type.tz:
                return ZONED_NANOSECONDS
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


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
