"""Keep spreadsheets from running a cell's text as a formula.

An e-mail subject is written by an outsider; opened in a spreadsheet, `=HYPERLINK(...)` runs with the reader's rights.
A cell is prefixed with `'` when it starts with `=`, `+`, `-`, `@`, tab, CR or LF (OWASP, "CSV Injection"), with their
full-width forms, or with one of these after spaces or invisible characters, which spreadsheets drop.

Left alone are plain numbers (`-5`, `+1,234.50`, `-12%`) and phone numbers of a plus, digits, spaces, dots and
parentheses (`+16125550100`, `+44 20 7946 0958`). A number with hyphens or slashes is guarded: a spreadsheet shows
`+1-612-555-0100` as -1266.

The guard is not part of the text, so it does not count towards a column's maximum: a full cell grows by one.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.csv_cells.byte_set import ByteSet

_RUNS = r"^(?:[\t\r\n]|[\s\pZ\pC]*[=+\-@＝＋－＠])"
_NUMBER = r"^ *(?:[+\-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+\-]?\d+)?%?|\+\d[\d .()]*)$"
# First bytes of anything `_RUNS` can match: a column without them needs no pattern.
_SUSPECT = ByteSet.of(*range(0x21), *b"=+-@\x7f", *range(0x80, 0x100))


def guard(text: pa.Array) -> tuple[pa.Array, int]:
    """Prefix what a spreadsheet would run with `'`; count the prefixed."""
    if not _SUSPECT.starts_a_cell_of(text):
        return text, 0
    runs = pc.fill_null(pc.match_substring_regex(text, _RUNS), False)
    if not pc.any(runs).as_py():
        return text, 0
    runs = pc.and_not(runs, pc.fill_null(pc.match_substring_regex(text, _NUMBER), False))
    found = pc.sum(runs).as_py() or 0
    return (pc.if_else(runs, pc.binary_join_element_wise("'", text, ""), text), found) if found else (text, 0)
