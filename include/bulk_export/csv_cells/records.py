"""Join finished columns into RFC 4180 records.

Quotes only where they are needed, any line end.

pyarrow's own CSV writer quotes every text and ends records with LF only; joining the columns ourselves costs about as
much, writes a sixth less, and gives any line end.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.csv_cells.byte_set import ByteSet, content

_SPECIAL = ByteSet.of(*b'",\r\n')


def records(columns: Sequence[pa.Array], line_end: str) -> memoryview:
    """The bytes of one batch.

    Args:
        columns: string arrays of one length; null is an empty cell.
        line_end: ends every record.
    """
    if not len(columns[0]):
        return memoryview(b"")
    cells = [_quoted(pc.fill_null(column, "")) for column in columns]
    cells[-1] = pc.binary_join_element_wise(cells[-1], line_end, "")
    lines = pc.binary_join_element_wise(*cells, ",")
    offsets, _ = content(lines)
    return memoryview(lines.buffers()[2])[offsets[0] : offsets[-1]]


def header_record(header: Sequence[str], line_end: str) -> bytes:
    """One record alone, such as the first line."""
    return bytes(records([pa.array([name], pa.string()) for name in header], line_end))


def _quoted(text: pa.Array) -> pa.Array:
    if not _SPECIAL.occurs_in(text):
        return text
    special = pc.match_substring_regex(text, '[",\r\n]')
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(special, quoted, text)
