"""Rows of items.csv as text, whole columns at a time."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# A spreadsheet runs a cell that starts with one of these as a formula.
_FORMULA = r"^[=+\-@]"
_NEEDS_QUOTES = r'[",\r\n]'
_BREAKS = r"[\x00-\x1f\x7f]+"


def csv_lines(table: pa.Table) -> bytes:
    """The table's rows, one line each with its line feed: RFC 4180, nulls empty, no formula in `detail`."""
    if not table.num_rows:
        return b""
    cells = [
        _quoted(_harmless(column) if name == "detail" else column) if pa.types.is_string(column.type) else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    text = [pc.fill_null(column.cast(pa.large_string()), "") for column in cells]
    lines = pc.binary_join_element_wise(*text, pa.scalar(",", pa.large_string()))
    whole = pa.LargeListArray.from_arrays(pa.array([0, len(lines)], pa.int64()), pa.concat_arrays(lines.chunks))
    return f"{pc.binary_join(whole, pa.scalar(chr(10), pa.large_string()))[0].as_py()}\n".encode()


def _harmless(column: pa.ChunkedArray) -> pa.ChunkedArray:
    one_line = pc.utf8_trim_whitespace(pc.replace_substring_regex(column, _BREAKS, " "))
    guarded = pc.binary_join_element_wise("'", one_line, "")
    return pc.if_else(pc.match_substring_regex(one_line, _FORMULA), guarded, one_line)


def _quoted(column: pa.ChunkedArray) -> pa.ChunkedArray:
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(column, '"', '""'), '"', "")
    return pc.if_else(pc.match_substring_regex(column, _NEEDS_QUOTES), quoted, column)
