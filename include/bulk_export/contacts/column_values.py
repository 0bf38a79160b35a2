"""Compare a column of a Parquet file with one value."""

from __future__ import annotations

import pyarrow.parquet as pq

from bulk_export.contacts.hive_values import as_folder_value


def agrees(file: pq.ParquetFile, column: str, value: str | None) -> bool:
    """Whether a column holds nothing but a value.

    The value is as `hive_values.folder_value` gives it.

    The footer's statistics tell mostly; else the column is read.
    """
    position = next(at for at in range(file.metadata.num_columns) if file.metadata.schema.column(at).path == column)
    return all(_group_agrees(file, group, position, column, value) for group in range(file.metadata.num_row_groups))


def _group_agrees(file: pq.ParquetFile, group: int, position: int, column: str, value: str | None) -> bool:
    rows = file.metadata.row_group(group).num_rows
    statistics = file.metadata.row_group(group).column(position).statistics
    if statistics is not None and statistics.has_null_count:
        if value is None or statistics.null_count:
            return value is None and statistics.null_count == rows
        if statistics.has_min_max:
            return as_folder_value(statistics.min) == as_folder_value(statistics.max) == value
    held = file.read_row_group(group, columns=[column])[column].unique().to_pylist()
    return [as_folder_value(one) for one in held] in ([value], [])
