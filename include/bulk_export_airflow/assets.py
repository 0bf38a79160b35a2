"""Announce each delivered directory as an asset event.

Other DAGs can be scheduled on the asset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias, get_current_context

if TYPE_CHECKING:
    from bulk_export.state.records import RunRecord


def delivery(export_id: str) -> Asset:
    """The asset of an export.

    `Asset("bulk_export/weekly-detractors")` in the `schedule` of whoever waits for it.
    """
    # No address of its own: Airflow distinguishes assets by name and address, and who waits should need to know one.
    return Asset(name=f"bulk_export/{export_id}", group="bulk_export")


def outlet(export_id: str) -> AssetAlias:
    """What the publishing task declares.

    Not the asset itself: Airflow activates the assets of a new DAG up to a minute after the DAG is up, and fails a task
    whose outlet is not active yet. An alias has no such state; the event makes the asset.
    """
    return AssetAlias(name=f"bulk_export/{export_id}", group="bulk_export")


def announce(record: RunRecord) -> None:
    """Put the directory and its counts into this task's asset event."""
    facts: dict[str, Any] = {
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
    events = get_current_context()["outlet_events"]
    events[outlet(record.export_id)].add(delivery(record.export_id), extra=facts)
