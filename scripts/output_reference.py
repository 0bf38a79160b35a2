"""Make the generated tables of docs/output-format.md; `reference.py` puts them in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from bulk_export.fields import CSV_FIELDS, Field, Kind
from bulk_export.items.table import file_columns, item_columns
from bulk_export.reasons import MEANINGS, NOT_APPLICABLE, ItemStatus, Reason
from bulk_export.stage_registry import STAGES, Results
from markdown_table import table

# How a kind of value is shown: profiles standard and excel, then data.
_SHOWN = {
    Kind.TEXT: ("text", "text"),
    Kind.INTEGER: ("whole number", "whole number"),
    Kind.DURATION: ("`HH:MM:SS`", "seconds"),
    Kind.RATIO: ("`.99`", "decimal number"),
    Kind.DECIMAL: ("decimal number", "decimal number"),
    Kind.YES_NO: ("`Yes` / `No`", "`Yes` / `No`"),
    Kind.ENUM: ("text", "text"),
    Kind.DATE: ("`MM/DD/YYYY`", "`YYYY-MM-DD`"),
}
_OWN = {"date": ("`DD/MM/YYYY`", "`YYYY-MM-DD`"), "time": ("`HH:MM AM`", "`HH:MM:SS±HH:MM`")}

_ITEM_WORDS = {
    "contact_id": "the contact",
    "status": "what became of it",
    "reason": "why it is not `delivered`; empty when it is",
    "media_reason": "why there is no media, or not all of it; several are separated by a space",
    "transcript_reason": "why there is no transcript",
    "media_file": "path of its media file in the directory",
    "media_bytes": "its size",
    "media_sha256": "its SHA-256, as in the manifest",
    "screen_file": "path of the stored screen file, `original` only",
    "screen_bytes": "its size",
    "screen_sha256": "its SHA-256",
    "transcript_file": "path of its transcript",
    "transcript_bytes": "its size",
    "transcript_sha256": "its SHA-256",
    "detail": "what exactly was wrong, for engineers; never what somebody said or who it was",
}
_STATUS_WORDS = {
    ItemStatus.DELIVERED: "everything it has, and the export asks for, is in the directory",
    ItemStatus.MASKED: "it is recycled: its row is there and shows only its id",
    ItemStatus.FAULTY: "something of it is missing; the rest is there",
    ItemStatus.DEFERRED: "this run left it out; it has no row in contacts.csv",
    ItemStatus.ALREADY_DELIVERED: "an earlier run delivered it; it has no row in contacts.csv",
}


def columns() -> str:
    """Every column of contacts.csv."""
    rows = [
        (
            str(number),
            field.header,
            f"`{field.key}`",
            *_OWN.get(field.key, _SHOWN[field.kind]),
            str(field.max_chars or ""),
            _notes(field),
        )
        for number, field in enumerate(CSV_FIELDS, start=1)
    ]
    after = (f"{len(CSV_FIELDS) + 1}…", "*the key*", "`metadata.<key>`", "text", "text", "", "exportable metadata")
    header = ("#", "header", "field", "`standard`, `excel`", "`data`", "longest", "notes")
    return table(header, [*rows, after])


def _notes(field: Field) -> str:
    notes = [field.note]
    if field.only_for:
        notes.append(f"only {', '.join(sorted(field.only_for))}")
    if field.default:
        notes.append(f"`{field.default}` when it is not known")
    if field.values and len(field.values) <= 7:
        notes.append(", ".join(field.values))
    elif field.values:
        notes.append(f"one of {len(field.values)} values: {', '.join(field.values)}")
    return "; ".join(note for note in notes if note)


def items() -> str:
    """Every column of items.csv."""
    meanings = {name: words for _, results in STAGES.with_results() for name, words in _columns_of(results)}
    return table(("column", "meaning"), [(f"`{name}`", (meanings | _ITEM_WORDS)[name]) for name in item_columns()])


def _columns_of(results: Results) -> Iterator[tuple[str, str]]:
    """The columns of a stage's results, for one that has no words of its own."""
    yield results.reason_column, f"why there is no {' or '.join(results.kinds)}"
    for kind in results.kinds:
        path, size, digest = file_columns()[kind]
        yield path, f"path of its {kind}"
        yield size, "its size"
        yield digest, "its SHA-256"


def statuses() -> str:
    """Every status."""
    return table(("status", "meaning"), [(f"`{status}`", _STATUS_WORDS[status]) for status in ItemStatus])


def reasons() -> str:
    """Every reason code."""
    rows = [(f"`{reason}`", meaning.words, counts_as(reason)) for reason, meaning in MEANINGS.items()]
    return table(("reason", "meaning", "the contact is"), rows)


def counts_as(reason: Reason) -> str:
    """The status a reason leads to, in words."""
    status = MEANINGS[reason].status
    if status is None:
        return "no match: counted apart, not in items.csv"
    if reason is Reason.MEDIA_DOUBTFUL:
        return f"`{status}`: nothing is known to be missing"
    return f"`{status}`" + (": it is whole without it" if reason in NOT_APPLICABLE else "")


TABLES: Mapping[str, Callable[[], str]] = {"columns": columns, "items": items, "statuses": statuses, "reasons": reasons}


def with_tables(page: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """Fill each `<!-- table NAME -->`; an unknown name is a `KeyError`."""
    return re.sub(
        r"(?<=<!-- table )(\w+)( -->\n).*?(?=<!-- end -->)",
        lambda found: f"{found[1]}{found[2]}{tables[found[1]]()}",
        page,
        flags=re.DOTALL,
    )
