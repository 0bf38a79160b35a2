"""Read items.csv for a verification.

Which files it says each contact has.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from bulk_export.bag.faults import FaultKind
from bulk_export.bag.tags import BagReader
from bulk_export.items.table import file_columns, item_columns
from bulk_export.reasons import ItemStatus

ITEMS_FILE = "data/items.csv"

_STATUSES = frozenset(ItemStatus)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class ItemFiles:
    """What items.csv says.

    Attributes:
        files: size and digest by path.
        contacts: its rows.
        readable: False when it is absent or has another header, so that nothing can be concluded from it.
    """

    files: dict[str, tuple[int, str]] = field(default_factory=dict)
    contacts: int = 0
    readable: bool = False


def read_items(run: BagReader) -> ItemFiles:
    """Read items.csv and note its faults.

    A row that cannot be read, a contact or a file named twice.
    """
    items = ItemFiles()
    # A row is one line: the writer leaves no line break inside a cell.
    lines = run.text(ITEMS_FILE)
    header = next(lines, None)
    columns, files = item_columns(), tuple(file_columns().values())
    expected = ",".join(columns)
    if header is None or header[1] != expected:
        if run.has(ITEMS_FILE):
            run.add(f"{ITEMS_FILE}:1", FaultKind.ITEMS, expected, header[1][:200] if header else "nothing")
        return items
    items.readable = True
    seen: Counter[str] = Counter()
    for number, line in lines:
        fault = _read_row(line, items, seen, columns, files)
        if fault:
            run.add(f"{ITEMS_FILE}:{number}", FaultKind.ITEMS, fault)
    items.contacts = seen.total()
    return items


def _read_row(
    line: str,
    items: ItemFiles,
    seen: Counter[str],
    columns: Sequence[str],
    files: Sequence[tuple[str, str, str]],
) -> str:
    """Take one row in; what it should have been when it is wrong, else nothing."""
    try:
        cells = next(csv.reader([line], strict=True), [])
    except csv.Error:
        cells = []
    if len(cells) != len(columns):
        return f"{len(columns)} cells"
    row = dict(zip(columns, cells, strict=True))
    seen[row["contact_id"]] += 1
    if not row["contact_id"].removeprefix("-").isdecimal() or seen[row["contact_id"]] > 1:
        return "a contact id, each once"
    if row["status"] not in _STATUSES:
        return f"a status: {', '.join(ItemStatus)}"
    for path_column, bytes_column, sha256_column in files:
        path, size, sha256 = row[path_column], row[bytes_column], row[sha256_column]
        if not path and not size and not sha256:
            continue
        if not path or not size.isdecimal() or not _SHA256.fullmatch(sha256) or path in items.files:
            return f"{path_column}, {bytes_column} and {sha256_column} of one file, each file once"
        items.files[path] = (int(size), sha256)
    return ""
