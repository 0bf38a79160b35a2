"""Write the transcripts of one job's contacts.

A run whose directory is finished is left alone.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bulk_export.stage_registry import Counts
from bulk_export.stages.batch_contacts import job_contacts
from bulk_export.stages.stage import stage
from bulk_export.transcripts.job import export_job_transcripts

if TYPE_CHECKING:
    from bulk_export.runs.open_run import OpenRun

_TRANSCRIPT_COLUMNS = ["contact_id", "recycled", "transcript_uri"]


@stage
def export_transcripts(run: OpenRun, job: int) -> Counts:
    """Transcripts of one job; counts of files and bytes."""
    wanted = run.snapshot.export.transcripts
    if run.nothing_to_deliver or wanted == "none":
        return {}
    contacts = job_contacts(run, job, _TRANSCRIPT_COLUMNS)
    counts = export_job_transcripts(
        contacts,
        job=job,
        format=wanted,
        addresses=run.addresses,
        standing=run.standing_folders,
        destination=run.destination,
        run_prefix=run.record.directory,
        journal=run.staging.journal("transcripts", job),
        progress=run.progress("export_transcripts", job, contacts.num_rows),
    )
    return asdict(counts)
