"""Make one relation of Parquet files that differ.

Files alike in the columns that are read are read together, in one type each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bulk_export.contacts.catalog_files import exact_pattern
from bulk_export.contacts.parquet_files import (
    FROM_DIRECTORY,
    NOTHING,
    SMALL_FLOAT,
    ZONED_NANOSECONDS,
    CatalogFile,
)
from bulk_export.contacts.schema import STORE_COLUMNS, ColumnType
from bulk_export.contacts.store_validation import LARGEST_NOTED_BYTES

if TYPE_CHECKING:
    from bulk_export.filters.selection import Selection

_SQL_TYPES: Mapping[ColumnType, str] = {
    ColumnType.TEXT: "VARCHAR",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.DECIMAL: "DOUBLE",
    ColumnType.YES_NO: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.TIMESTAMP: "TIMESTAMP",
    ColumnType.MAP: "MAP(VARCHAR, VARCHAR)",
}
# What Python and every consumer of a job table can hold.
_FIRST_MOMENT, _LAST_MOMENT = "TIMESTAMP '0001-01-02 00:00:00'", "TIMESTAMP '9999-12-30 00:00:00'"
# Of a relation: how many of its starts and updates those are not.
OUT_OF_REACH = ", ".join(
    f"count(*) FILTER ({column} NOT BETWEEN {_FIRST_MOMENT} AND {_LAST_MOMENT})"
    for column in ("started_at", "updated_at")
)
# A noted size beyond a petabyte is no size, and sums of such would fit into nothing.
_MEDIA_BYTES = " + ".join(
    f"least(greatest(coalesce({column}, 0), 0), {LARGEST_NOTED_BYTES})" for column in ("audio_bytes", "screen_bytes")
)
_STORED = "read_parquet(?, hive_partitioning = false) AS stored"
_STORED_WITH_NAMES = "read_parquet(?, hive_partitioning = false, filename = 'in file') AS stored"


def relation(files: Sequence[CatalogFile], columns: Sequence[str]) -> tuple[str, list[object]]:
    """A query of these columns over all files, and its parameters.

    Every column has its one SQL type; NaN and infinity are null; timestamps are UTC without a zone. The session's time
    zone must be UTC.
    """
    alike: dict[tuple[object, ...], list[CatalogFile]] = defaultdict(list)
    for file in files:
        alike[tuple((file.columns.get(column), file.types.get(column)) for column in columns)].append(file)
    queries: list[str] = []
    parameters: list[object] = []
    for members in alike.values():
        held = members[0].columns
        selected = ", ".join(f"{_expression(column, held.get(column))} AS {column}" for column in columns)
        given = [column for column in columns if held.get(column) == FROM_DIRECTORY]
        parameters.append([exact_pattern(member.address) for member in members])
        if given:
            queries.append(f"SELECT {selected} FROM {_STORED_WITH_NAMES} LEFT JOIN {_folders(given)}")
            parameters.append([member.address for member in members])
            parameters += [[member.folder_values[column] for member in members] for column in given]
        else:
            queries.append(f"SELECT {selected} FROM {_STORED}")
    return " UNION ALL ".join(queries), parameters


def _folders(columns: Sequence[str]) -> str:
    """What directories say, by file. DuckDB's own reading of them takes a surname `Null` for nothing."""
    lists = ", ".join(f'unnest(CAST(? AS VARCHAR[])) AS "{column}"' for column in ("in file", *columns))
    return f'(SELECT {lists}) AS folders ON stored."in file" = folders."in file"'


def _expression(column: str, held: str | None) -> str:
    sql_type = _SQL_TYPES[STORE_COLUMNS[column]]
    quoted = f'stored."{column}"'
    if held is None or held == NOTHING:
        return f"CAST(NULL AS {sql_type})"
    if held == FROM_DIRECTORY:
        # Never in silence: a file that DuckDB names differently would have a null.
        return (
            f"CASE WHEN folders.\"in file\" IS NULL THEN CAST(error('a file has another name') AS {sql_type})"
            f' ELSE CAST(folders."{column}" AS {sql_type}) END'
        )
    if held == SMALL_FLOAT:
        # Through its shortest decimal form: a float32 of 0.3 is 0.3, not 0.30000001192092896.
        return f"CASE WHEN isfinite({quoted}) THEN CAST(CAST({quoted} AS VARCHAR) AS DOUBLE) END"
    if held == ColumnType.DECIMAL:
        # NaN is no value, and DuckDB orders it above every number. Not isnan(): Parquet statistics leave NaN out, and
        # DuckDB 2.0 concludes from them that nothing is NaN, so that `> 0` would find it.
        return f"CASE WHEN isfinite({quoted}) THEN {quoted} END"
    if held == ZONED_NANOSECONDS:
        # DuckDB 2.0 has no direct cast.
        return f"CAST(CAST({quoted} AS TIMESTAMPTZ) AS TIMESTAMP)"
    return f"CAST({quoted} AS {sql_type})"


def matched(files: Sequence[CatalogFile], selection: Selection) -> tuple[str, list[object]]:
    """The query of what matches.

    Keys, stored bytes and whether it is a root recording.
    """
    source, parameters = relation(files, list(STORE_COLUMNS))
    query = (
        f"WITH contacts AS NOT MATERIALIZED ({source}) SELECT contact_id, started_at, updated_at,"
        f" {_MEDIA_BYTES} AS media_bytes, coalesce(is_root, FALSE) AS root"
        f" FROM contacts WHERE {selection.sql}"
    )
    return query, [*parameters, *selection.parameters]
