"""Select what an incremental export still has to deliver.

It delivers each contact once, and again when it has changed since.

What a run matched and did not deliver is remembered, and the next run takes it up, whether or not its search still
matches: a search for the last seven days would otherwise lose for good what failed a week ago. What was tried and was
faulty comes after what was never tried: contacts that can never be delivered would otherwise take the quota of every
day, and newer ones would never come.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.reasons import ItemStatus
from bulk_export.staging.run_staging import FRESH, KEYS, RunStaging
from bulk_export.state.items import contacts_with
from bulk_export.state.undelivered import list_failed, list_undelivered, record_undelivered

if TYPE_CHECKING:
    from bulk_export.runs.open_run import OpenRun


def contacts_to_make_up_for(run: OpenRun) -> list[int]:
    """What earlier runs of the export matched and did not deliver."""
    return list_undelivered(run.site.engine, run.snapshot.export.id)


def contacts_tried_before(run: OpenRun) -> list[int]:
    """Those of them that an earlier run tried and found faulty."""
    return list_failed(run.site.engine, run.snapshot.export.id, run_id=run.record.run_id)


def remember_undelivered(run: OpenRun) -> None:
    """Record what the run matched and did not deliver.

    For the next run. Its keys are frozen.

    Contacts the quota did not reach are among them even where a follow-up run is queued: should it never come, the
    next run takes them, and if it comes after that, they are no longer fresh.
    """
    if run.record.published:
        missing = contacts_with(run.site.engine, run.record.run_id, (ItemStatus.FAULTY, ItemStatus.DEFERRED))
    else:
        missing = run.staging.left_to_export(["contact_id"])["contact_id"].to_pylist()
    record_undelivered(run.site.engine, run.snapshot.export.id, run.record.run_id, missing)


def keep_fresh_keys(
    staging: RunStaging, delivered: Iterable[Sequence[tuple[int, datetime | None]]], tried: Sequence[int]
) -> int:
    """Write the keys that are new or changed (FRESH).

    Keys that an earlier run delivered, and that have not changed since, are left out.

    Among these, what was never tried comes first, then what was; each oldest first.

    Args:
        staging: holds KEYS.
        delivered: batches of (contact id, its `updated_at` then) of everything the export delivered.
        tried: contacts that were faulty when they were tried.

    Returns:
        How many keys were set apart.
    """
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
    # A join does not find nulls: a store without updated_at means "never changes", so null becomes the epoch.
    epoch = pa.scalar(0, pa.int64()).cast(keys.schema.field("updated_at").type)
    left = keys.append_column("row", pa.arange(0, keys.num_rows)).set_column(
        keys.schema.get_field_index("updated_at"), "updated_at", pc.fill_null(keys["updated_at"], epoch)
    )
    right = known.set_column(1, "updated_at", pc.fill_null(known["updated_at"], epoch))
    fresh_rows = left.join(right, ["contact_id", "updated_at"], join_type="left anti")["row"].combine_chunks().sort()
    fresh = keys.take(fresh_rows)
    again = pc.is_in(fresh["contact_id"], value_set=pa.array(tried, pa.int64()))
    staging.write_table(FRESH, pa.concat_tables([fresh.filter(pc.invert(again)), fresh.filter(again)]))
    return int(keys.num_rows - len(fresh_rows))
