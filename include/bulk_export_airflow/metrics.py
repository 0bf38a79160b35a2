"""Report a closed run to Airflow's metrics.

StatsD or OpenTelemetry, as `[metrics]` says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk.observability import stats

from bulk_export.reasons import ItemStatus

if TYPE_CHECKING:
    from bulk_export.state.records import RunRecord


def measure(record: RunRecord) -> None:
    """Count a closed run.

    Counters `bulk_export.runs`, `.runs.<status>`, `.contacts`, `.faulty_contacts`, `.files`, `.bytes`; gauges
    `.quota_used` and `.quota_limit` of the day; timers `.queue_time` (until its first attempt began) and `.run_time`.
    Where the receiver knows tags, each carries the export's id.
    """
    tags = {"export": record.export_id}
    counts = {
        "runs": 1,
        f"runs.{str(record.status).lower()}": 1,
        "contacts": record.exported,
        "faulty_contacts": record.by_status.get(ItemStatus.FAULTY, 0),
        "files": record.media_files + record.transcript_files,
        "bytes": record.media_bytes + record.transcript_bytes,
    }
    for name, count in counts.items():
        stats.incr(f"bulk_export.{name}", count, tags=tags)
    if record.quota_limit is not None and record.quota_after is not None:
        stats.gauge("bulk_export.quota_used", record.quota_after)
        stats.gauge("bulk_export.quota_limit", record.quota_limit)
    if record.started_at is not None:
        stats.timing("bulk_export.queue_time", record.started_at - record.queued_at, tags=tags)
        if record.ended_at is not None:
            stats.timing("bulk_export.run_time", record.ended_at - record.started_at, tags=tags)
