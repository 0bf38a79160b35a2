"""Rows as the lines of a CSV download: quoted, guarded against formulas, a few at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain, islice

_ROWS_AT_ONCE = 200
_RUN_AS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_lines(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The download, in portions; the byte order mark makes Excel read it as UTF-8."""
    everything = chain([headers], (tuple(map(_cell, row)) for row in rows))
    first = "\ufeff"
    while batch := list(islice(everything, _ROWS_AT_ONCE)):
        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerows(batch)
        yield first + out.getvalue()
        first = ""


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = str(value)
    # A name of an export is free text, and a spreadsheet would run it.
    return f"'{text}" if isinstance(value, str) and text.lstrip(" ").startswith(_RUN_AS_FORMULA) else text
