"""Preview the first contacts of a search, as the CSV shows them.

Recycled ones are masked, and nothing is written anywhere.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import pyarrow as pa

from bulk_export.contacts.base import Matches
from bulk_export.contacts_csv import CsvLayout, write_contacts_csv
from bulk_export.definitions.models import SavedSearch
from bulk_export.filters.preview import text_preview
from bulk_export_console.context import ConsoleContext
from bulk_export_console.estimates import opened

PREVIEWED = 50

# What tells contacts apart at a glance; the export has all columns. Those without any value are not shown.
COLUMNS = (
    "Contact ID", "Date", "Time", "Time Zone", "Contact Type", "Last Name", "First Name", "Group Name", "Team Name",
    "Calling Number", "Called Number", "External Party", "From Address", "Subject", "Call Duration", "State",
    "Sentiment Score", "Predictive Net Promoter Score", "Text Preview",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Preview:
    """What a search finds now.

    Attributes:
        matches: how many, in all.
        columns: headers of the columns that have a value.
        rows: the oldest matches, a cell per column.
    """

    matches: Matches
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def preview(context: ConsoleContext, search: SavedSearch, language: str) -> Preview:
    """Find a search's first contacts.

    Raises:
        DefinitionError: FILTER_INCOMPLETE, or as the store says.
    """
    filters = [item for item in search.filters if item.field == "text"]
    with opened(context, search) as (store, selection):
        matches, keys = store.preview(selection, PREVIEWED)
        table = store.fetch(keys, (), with_text=bool(filters))
    hits = [text_preview(body, filters) for body in table["text"].to_pylist()] if filters else [None] * table.num_rows
    if filters:
        table = table.drop_columns(["text"])
    out = io.BytesIO()
    layout = CsvLayout("standard", "es" if language == "es" else "en")
    write_contacts_csv([table.append_column("text_preview", pa.array(hits, pa.string()))], layout, out)
    # newline="" keeps the line breaks inside cells apart from those between records.
    records = list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline="")))
    columns = tuple(name for name in COLUMNS if any(record[name].strip("#") for record in records))
    return Preview(matches, columns, tuple(tuple(record[name] for name in columns) for record in records))
