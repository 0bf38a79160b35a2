"""Copy, remux or transcode the media of one job's contacts.

A run whose directory is finished is left alone: what was proven must not change under the receiver.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bulk_export.media.job import MediaLimits, copy_job_media
from bulk_export.media.throttle import Throttle
from bulk_export.stage_registry import Counts
from bulk_export.stages.batch_contacts import job_contacts
from bulk_export.stages.stage import stage

if TYPE_CHECKING:
    from bulk_export.runs.open_run import OpenRun

_MEDIA_COLUMNS = ["contact_id", "contact_type", "recycled", "audio_uri", "screen_uri", "audio_bytes", "screen_bytes"]


@stage
def copy_media(run: OpenRun, job: int) -> Counts:
    """Media of one job; counts of files and bytes."""
    formats = run.snapshot.export.media
    if run.nothing_to_deliver or (formats.audio_only is None and formats.audio_video is None):
        return {}
    # Those of now, not of the run's beginning: this is how an operator slows down a run under way.
    limits = run.site.settings.limits
    contacts = job_contacts(run, job, _MEDIA_COLUMNS)
    counts = copy_job_media(
        contacts,
        job=job,
        formats=formats,
        addresses=run.addresses,
        standing=run.standing_folders,
        destination=run.destination,
        run_prefix=run.record.directory,
        journal=run.staging.journal("media", job),
        scratch=run.scratch / f"media-{job:04d}",
        workers=limits.workers or run.site.workers,
        limits=run.site.media_limits or MediaLimits(),
        throttle=Throttle(limits.megabytes_per_second * 1e6) if limits.megabytes_per_second else None,
        progress=run.progress("copy_media", job, contacts.num_rows),
    )
    return asdict(counts)
