"""Incremental exports deliver each contact once, and again when it has changed since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bulk_export.staging import FRESH, KEYS, RunStaging


def keep_fresh_keys(staging: RunStaging, delivered: Iterable[Sequence[tuple[int, datetime | None]]]) -> int:
    """Set apart the keys an earlier run delivered and that have not changed since (FRESH).

    Args:
        staging: holds KEYS.
        delivered: batches of (contact id, its `updated_at` then) of everything the export delivered.

    Returns:
        How many keys were set apart.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = staging.read_table(KEYS)
    schema = pa.schema([("contact_id", pa.int64()), keys.schema.field("updated_at")])
    known = pa.concat_tables(
        [schema.empty_table()]
        + [
            pa.table([list(column) for column in zip(*batch, strict=True)], schema=schema)
            for batch in delivered
            if batch
        ]
    )
    # A join does not find nulls: a store without updated_at means "never changes", so null stands for the epoch.
    epoch = pa.scalar(0, pa.int64()).cast(keys.schema.field("updated_at").type)
    left = keys.append_column("row", pa.array(range(keys.num_rows), pa.int64())).set_column(
        keys.schema.get_field_index("updated_at"), "updated_at", pc.fill_null(keys["updated_at"], epoch)
    )
    right = known.set_column(1, "updated_at", pc.fill_null(known["updated_at"], epoch))
    fresh_rows = left.join(right, ["contact_id", "updated_at"], join_type="left anti")["row"].combine_chunks().sort()
    staging.write_table(FRESH, keys.take(fresh_rows))
    return int(keys.num_rows - len(fresh_rows))
