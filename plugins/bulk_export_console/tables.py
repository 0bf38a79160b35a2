"""Rows as a CSV download, a few at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice

import pyarrow as pa

from bulk_export.csv_cells.guard import guard
from bulk_export.csv_cells.records import header_record, records

_ROWS_AT_ONCE = 200
_LINE_END = "\r\n"


def csv_lines(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """The download in portions, guarded and quoted, for Excel too."""
    # Without a byte order mark Excel takes UTF-8 for the machine's own code page.
    yield "\ufeff".encode() + header_record(headers, _LINE_END)
    remaining = iter(rows)
    while batch := list(islice(remaining, _ROWS_AT_ONCE)):
        columns = [pa.array(map(_text, column), pa.string()) for column in zip(*batch, strict=True)]
        yield bytes(records([guard(column)[0] for column in columns], _LINE_END))


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
