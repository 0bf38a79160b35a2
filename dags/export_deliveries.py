"""Each directory delivered is an event of an Airflow asset, so that other DAGs can be scheduled on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import Asset, get_current_context

if TYPE_CHECKING:
    from bulk_export.state.records import RunRecord


def delivery(export_id: str) -> Asset:
    """The asset of an export: `Asset("bulk_export/weekly-detractors")` in the `schedule` of whoever waits for it."""
    return Asset(name=f"bulk_export/{export_id}", uri=f"x-bulk-export://exports/{export_id}", group="bulk_export")


def announce(record: RunRecord) -> None:
    """Put into the asset event of this task where the directory is and what it holds."""
    event = get_current_context()["outlet_events"][delivery(record.export_id)]
    event.extra = {
        "run_id": record.run_id,
        "directory": f"{record.destination_uri}/{record.directory}",
        "manifest_sha256": record.manifest_sha256,
        "matched": record.matched,
        "exported": record.exported,
        "by_status": dict(record.by_status),
        "media_files": record.media_files,
        "media_bytes": record.media_bytes,
        "transcript_files": record.transcript_files,
    }
