"""Query the matches of a contact table; write their keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bulk_export.contacts.base import Matches
from bulk_export.contacts.postgres_table import ContactTable
from bulk_export.contacts.schema import STORE_COLUMNS, keys_schema
from bulk_export.contacts.store_validation import LARGEST_NOTED_BYTES

if TYPE_CHECKING:
    from bulk_export.filters.selection import Selection

# What Python and every consumer of a job table can hold.
YEARS = "BETWEEN '0001-01-02 00:00:00+00' AND '9999-12-30 00:00:00+00'"
# A noted size beyond a petabyte is no size, and sums of such would fit into nothing.
_MEDIA_BYTES = " + ".join(
    f"least(greatest(coalesce(contacts.{column}, 0)::bigint, 0), {LARGEST_NOTED_BYTES})"
    for column in ("audio_bytes", "screen_bytes")
)
MOMENTS = ("started_at", "updated_at")


@dataclass(slots=True)
class Selected:
    """What a selection turned out to hold."""

    contacts: int = 0
    roots: int = 0
    media_bytes: int = 0
    bad_starts: int = 0
    bad_updates: int = 0

    @property
    def matches(self) -> Matches:
        """The same as every store reports it."""
        return Matches(self.contacts, self.roots, self.media_bytes)


def matched(table: ContactTable, selection: Selection) -> str:
    """The query of what matches.

    Keys, stored bytes, whether it is a root recording, and moments nobody can hold.
    """
    return (
        "SELECT contacts.contact_id, contacts.started_at AS ordered_by,"
        f" {readable('started_at')} AS started_at, {readable('updated_at')} AS updated_at,"
        f" {_MEDIA_BYTES} AS media_bytes,"
        " coalesce(contacts.is_root, false) AS root,"
        f" coalesce(NOT contacts.started_at {YEARS}, false) AS bad_start,"
        f" coalesce(NOT contacts.updated_at {YEARS}, false) AS bad_update"
        f" FROM ({table.relation(list(STORE_COLUMNS))}) AS contacts WHERE {selection.sql}"
    )


def readable(column: str) -> str:
    """A column as the job table holds it.

    A moment that Python cannot hold is null.
    """
    if column not in MOMENTS:
        return f"contacts.{column}"
    return f"CASE WHEN contacts.{column} {YEARS} THEN contacts.{column}::timestamptz END"


def write_keys(batches: Iterable[list[tuple[Any, ...]]], into: Path, ids: Path | None) -> Selected:
    """Write keys as they come.

    The ids of all matches, root recordings included, go to `ids`.
    """
    found = Selected()
    schema = keys_schema()
    flags = [pa.field(name, pa.bool_()) for name in ("root", "bad_start", "bad_update")]
    with ExitStack() as open_files:

        def writer(path: Path, columns: pa.Schema) -> pq.ParquetWriter:
            return open_files.enter_context(pq.ParquetWriter(path, columns, compression="zstd"))

        keys = writer(into, schema)
        all_ids = writer(ids, pa.schema([schema.field("contact_id")])) if ids else None
        for rows in batches:
            matched = arrow(rows, pa.schema([*schema, *flags]))
            contacts = matched.filter(pc.invert(matched["root"])).select(schema.names)
            found.contacts += contacts.num_rows
            found.roots += matched.num_rows - contacts.num_rows
            found.media_bytes += pc.sum(contacts["media_bytes"], min_count=0).as_py()
            found.bad_starts += pc.sum(matched["bad_start"], min_count=0).as_py()
            found.bad_updates += pc.sum(matched["bad_update"], min_count=0).as_py()
            keys.write_table(contacts)
            if all_ids:
                all_ids.write_table(matched.select(["contact_id"]))
    return found


def arrow(rows: Sequence[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Rows as a table; their values are in the schema's order."""
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    arrays = [pa.array(list(column), field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
