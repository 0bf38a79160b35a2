"""Rows of items.csv as text, whole columns at a time."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.csv_cells.guard import guard
from bulk_export.csv_cells.records import records

_BREAKS = r"[\x00-\x1f\x7f]+"
# Joined lines have to fit into one array of Arrow's, which ends at 2 GiB.
_ROWS_AT_ONCE = 100_000


def csv_lines(table: pa.Table) -> Iterator[memoryview]:
    """The table's rows, some at a time, a line each.

    No text in them is a formula, and no detail has a line break.
    """
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield records([_cells(name, batch[name]) for name in batch.schema.names], "\n")


def _cells(name: str, column: pa.Array) -> pa.Array:
    if not pa.types.is_string(column.type):
        return pc.cast(column, pa.string())
    if name == "detail":
        column = pc.utf8_trim_whitespace(pc.replace_substring_regex(column, _BREAKS, " "))
    return guard(column)[0]
