"""Keep spreadsheets from running a cell's text as a formula.

An e-mail subject is written by an outsider; opened in a spreadsheet, `=HYPERLINK(...)` runs with the reader's rights.
A cell is prefixed with `'` when it starts with `=`, `+`, `-`, `@`, tab, CR or LF (OWASP, "CSV Injection"), with their
full-width forms, or with one of these after spaces or invisible characters, which spreadsheets drop.

Where the reader's list separator is another one than the file's, such as `;` in most of Europe, a separator inside a
text begins a cell too. So a sign after `;`, tab or line break gets its own `'`, also after spaces, invisible characters
and quotes; in files with another separator than the comma after `,` as well.

Left alone are plain numbers (`-5`, `+1,234.50`, `-12%`) and phone numbers of a plus, digits, spaces, dots and
parentheses (`+16125550100`, `+44 20 7946 0958`). A number with hyphens or slashes is guarded: a spreadsheet shows
`+1-612-555-0100` as -1266.

The guard is not part of the text, so it does not count towards a column's maximum: a full cell grows by one.
"""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.csv_cells.byte_set import ByteSet

_RUNS = r"^(?:[\t\r\n]|[\s\pZ\pC]*[=+\-@＝＋－＠])"
_NUMBER = r"^ *(?:[+\-]?(?:\d[\d.,]*|[.,]\d+)(?:[eE][+\-]?\d+)?%?|\+\d[\d .()]*)$"
# First bytes of anything `_RUNS` can match: a column without them needs no pattern.
_SUSPECT = ByteSet.of(*range(0x21), *b"=+-@\x7f", *range(0x80, 0x100))
_SIGNS = frozenset("=+-@＝＋－＠")
_NUMBER_INSIDE = re.compile(_NUMBER)
_BREAKS = ";\t\r\n"


def guard(text: pa.Array, separator: str = ",") -> tuple[pa.Array, int]:
    """Prefix what a spreadsheet would run with `'`; count the cells.

    Args:
        text: a column.
        separator: between the cells of the file.
    """
    inside, found_inside = _guard_inside(text, _BREAKS if separator == "," else _BREAKS + ",")
    guarded, found = _guard_start(inside)
    if not (found and found_inside):
        return guarded, found or found_inside
    changed = pc.fill_null(pc.not_equal(guarded, text), False)
    return guarded, pc.sum(changed).as_py() or 0


def _guard_inside(text: pa.Array, breaks: str) -> tuple[pa.Array, int]:
    if not ByteSet.of(*breaks.encode()).occurs_in(text):
        return text, 0
    # The pattern finds candidates; what is a number only Python's can tell, which looks at few cells.
    runs = pc.fill_null(pc.match_substring_regex(text, rf'[{breaks}][\s\pZ\pC"]*[=+\-@＝＋－＠]'), False)
    if not pc.any(runs).as_py():
        return text, 0
    whole = text.filter(runs).to_pylist()
    changed = [_with_guards(cell, breaks) for cell in whole]
    found = sum(after != before for after, before in zip(changed, whole, strict=True))
    return pc.replace_with_mask(text, runs, pa.array(changed, pa.string())), found


def _with_guards(cell: str, breaks: str) -> str:
    first, *rest = re.split(f"([{breaks}])", cell)
    return first + "".join(_guarded_part(part) for part in rest)


def _guarded_part(part: str) -> str:
    shown = next((index for index, char in enumerate(part) if not _is_dropped(char)), len(part))
    if part[shown : shown + 1] not in _SIGNS or _NUMBER_INSIDE.match(part[shown:].rstrip(' "')):
        return part
    return f"{part[:shown]}'{part[shown:]}"


def _is_dropped(char: str) -> bool:
    """Whether a spreadsheet shows nothing for it at the beginning of a cell."""
    return char == '"' or char.isspace() or unicodedata.category(char)[0] in "ZC"


def _guard_start(text: pa.Array) -> tuple[pa.Array, int]:
    if not _SUSPECT.starts_a_cell_of(text):
        return text, 0
    runs = pc.fill_null(pc.match_substring_regex(text, _RUNS), False)
    if not pc.any(runs).as_py():
        return text, 0
    runs = pc.and_not(runs, pc.fill_null(pc.match_substring_regex(text, _NUMBER), False))
    found = pc.sum(runs).as_py() or 0
    return (pc.if_else(runs, pc.binary_join_element_wise("'", text, ""), text), found) if found else (text, 0)
