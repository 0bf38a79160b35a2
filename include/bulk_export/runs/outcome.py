"""Record what became of each contact, before the marker.

It is read off the rows of items.csv, so that audit and receiver read the same sums. Nothing of it counts before the run
is published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.reasons import ItemStatus, Reason
from bulk_export.state.delivered_contacts import record_deliveries
from bulk_export.state.items import Item, record_items

if TYPE_CHECKING:
    from bulk_export.items.table import ItemCounts
    from bulk_export.runs.open_run import OpenRun

# Called as often as needed: the rows of items.csv in parts, as `items/table.py` makes them.
ItemParts = Callable[[], Iterator[pa.Table]]
# A contact's `updated_at` in the run's snapshot.
UpdatedAt = Mapping[int, datetime | None]

_WHOLE = frozenset({str(ItemStatus.DELIVERED), str(ItemStatus.MASKED)})
# Every run of an incremental export leaves out all it has ever delivered: items.csv names them.
_UNTROUBLED = (str(ItemStatus.DELIVERED), str(ItemStatus.ALREADY_DELIVERED))


def record_contacts(run: OpenRun, parts: ItemParts) -> None:
    """Record the troubled contacts, and for an incremental export the delivered ones.

    Raises:
        LateAttemptError: another attempt has taken the run over.
    """
    engine, run_id, attempt = run.site.engine, run.record.run_id, run.attempt.number
    record_items(engine, run_id, _troubled(parts), attempt=attempt)
    if run.snapshot.export.incremental:
        record_deliveries(engine, run.snapshot.export.id, run_id, _delivered(run, parts), attempt=attempt)


def outcome_counts(run: OpenRun, counts: ItemCounts) -> dict[str, Any]:
    """The counts of the record once the run is published."""
    masked = counts.by_status[ItemStatus.MASKED]
    left_out = (ItemStatus.DEFERRED, ItemStatus.ALREADY_DELIVERED)
    in_jobs = counts.matched - sum(counts.by_status[status] for status in left_out)
    return {
        "matched": counts.matched,
        "exported": counts.by_status[ItemStatus.DELIVERED] + masked,
        "masked": masked,
        "by_status": {str(status): count for status, count in counts.by_status.items()},
        "by_reason": {str(reason): count for reason, count in counts.by_reason.items()},
        "jobs": -(-in_jobs // run.snapshot.licence.contacts_per_job),
        "media_files": counts.files.get("media", 0) + counts.files.get("screen", 0),
        "media_bytes": counts.bytes.get("media", 0) + counts.bytes.get("screen", 0),
        "transcript_files": counts.files.get("transcript", 0),
        "transcript_bytes": counts.bytes.get("transcript", 0),
        "transcript_fixes": _fixes(run),
    }


def _troubled(parts: ItemParts) -> Iterator[Item]:
    untroubled = pa.array(_UNTROUBLED)
    for items in parts():
        troubled = items.filter(pc.invert(pc.is_in(items["status"], value_set=untroubled)))
        for row in troubled.select(["contact_id", "status", "reason", "detail"]).to_pylist():
            reason = Reason(row["reason"]) if row["reason"] else None
            yield Item(row["contact_id"], ItemStatus(row["status"]), reason, row["detail"] or "")


def _delivered(run: OpenRun, parts: ItemParts) -> Iterator[tuple[int, datetime | None]]:
    """Each delivered contact with its `updated_at`; None where its job is lost, so that it is delivered again."""
    jobs = _updated_by_job(run)
    current: UpdatedAt = {}
    following: UpdatedAt = next(jobs, {})
    for items in parts():  # in the order of the jobs, of which one at a time is in memory
        for contact_id, status in zip(items["contact_id"].to_pylist(), items["status"].to_pylist(), strict=True):
            if contact_id in following:
                current, following = following, next(jobs, {})
            if status in _WHOLE:
                yield contact_id, current.get(contact_id)


def _updated_by_job(run: OpenRun) -> Iterator[UpdatedAt]:
    for job in run.staging.jobs():
        contacts = run.staging.job(job, ["contact_id", "updated_at"]).to_pydict()
        yield dict(zip(contacts["contact_id"], contacts["updated_at"], strict=True))


def _fixes(run: OpenRun) -> int:
    staging = run.staging
    # A contact that was tried again has two results, of which the later counts.
    fixes = {item.contact_id: item.fixes for n in staging.jobs() for item in staging.journal("transcripts", n).read()}
    return sum(fixes.values())
