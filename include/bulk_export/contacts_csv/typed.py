"""contacts.parquet: the CSV's columns as values, for programs.

Column names are field keys instead of headers, values keep their store types and their whole length, and nothing is
formatted, guarded or cut. `started_at` (UTC) beside `time_zone` takes the place of Date and Time. Recycled contacts
keep their id and nothing else. Object addresses and the searchable text body are not part of it.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.contacts_csv.layout import METADATA_PREFIX, CsvLayout
from bulk_export.fields import CSV_FIELDS


def typed_table(job: pa.Table, layout: CsvLayout) -> pa.Table:
    """The rows of contacts.parquet for one job, in the job's order.

    Args:
        job: canonical job table with `text_preview` and `recycled`.
        layout: its `metadata_keys` become `metadata.<key>` columns; profile and language change nothing here.
    """
    live = pc.invert(pc.fill_null(job["recycled"], False))
    columns = {
        name: job[name] if name == "contact_id" else pc.if_else(live, job[name], pa.scalar(None, job[name].type))
        for name in _names(layout)
    }
    return pa.table(columns)


def _names(layout: CsvLayout) -> list[str]:
    # Date and Time are both started_at; it comes where Date does.
    keys = ["started_at" if field.key == "date" else field.key for field in CSV_FIELDS if field.key != "time"]
    return [*keys, *(METADATA_PREFIX + key for key in layout.metadata_keys)]
