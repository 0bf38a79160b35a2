"""The whole export on one screen: the stages of a run, in order.

The tasks of every generated DAG, the command line and the tests call these functions and nothing else. A stage gets the
site and the run's id, reads what earlier stages left in the run record and the staging area, and leaves its own there.
It may run again at any time, and then goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable

from bulk_export import batches, closing, delivery, opening, publishing, selection
from bulk_export.definitions.run import ImmediateExport, RunParameters
from bulk_export.errors import BulkExportError
from bulk_export.run_request import RunRequest
from bulk_export.site import OpenRun, Site
from bulk_export.stages import Counts, stage
from bulk_export.state.records import RunRecord

__all__ = ["STAGES", "ImmediateExport", "RunParameters", "RunRequest", "Site"]

STAGES = (
    "validate_filters",
    "check_quota",
    "batch_contacts",
    "copy_media",
    "export_transcripts",
    "build_csv",
    "publish_manifest",
    "write_audit",
)


def validate_filters(site: Site, request: RunRequest) -> str:
    """Open the audit record, freeze the definitions in it, and refuse what cannot run. Returns the run's id."""
    opening.open_record(site, request)
    opening.check_places(site, request.run_id)
    return request.run_id


@stage
def check_quota(run: OpenRun) -> Counts:
    """Count the matches, freeze their keys, and reserve quota for them in one transaction."""
    if run.record.published:
        return selection.report_published(run)
    matched = selection.freeze_keys(run)
    return selection.report_dry_run(run, matched) if run.dry else selection.reserve_quota(run, matched)


@stage
def batch_contacts(run: OpenRun) -> list[int]:
    """Cut the granted contacts into jobs, oldest first, with every field frozen. Returns the job numbers, from 1."""
    return [] if run.dry else batches.freeze_jobs(run)


@stage
def copy_media(run: OpenRun, job: int) -> Counts:
    """Copy, remux or transcode the media of one job's contacts."""
    return delivery.copy_media(run, job)


@stage
def export_transcripts(run: OpenRun, job: int) -> Counts:
    """Write the transcripts of one job's contacts as JSON or XML."""
    return delivery.export_transcripts(run, job)


@stage
def build_csv(run: OpenRun) -> Counts | None:
    """Write contacts.csv, one row per exported contact, every job in order. None for a dry run."""
    return None if run.dry else delivery.build_csv(run)


@stage
def publish_manifest(run: OpenRun) -> Counts | None:
    """Write items.csv and the manifests, and last of all the marker that the directory is whole. None for a dry run."""
    return None if run.dry else publishing.publish(run)


def write_audit(
    site: Site,
    run_id: str,
    failed_stages: tuple[str, ...] = (),
    *,
    cancelled: bool = False,
    follow_up: Callable[[RunRecord], str] | None = None,
) -> RunRecord:
    """Close the audit record whatever happened, settle the quota to what was delivered, and tidy the staging area."""
    return closing.close(site, run_id, failed_stages, cancelled=cancelled, follow_up=follow_up)


def run_export(site: Site, request: RunRequest) -> RunRecord:
    """Every stage, one after the other: what `bulk-export run` does. The outcome, good or bad, is the record.

    Raises:
        DefinitionError: the settings do not load, so that there is nowhere to keep a record.
    """
    run_id, current = request.run_id, STAGES[0]
    try:
        validate_filters(site, request)
        current = "check_quota"
        check_quota(site, run_id)
        current = "batch_contacts"
        for job in batch_contacts(site, run_id):
            current = "copy_media"
            copy_media(site, run_id, job)
            current = "export_transcripts"
            export_transcripts(site, run_id, job)
        current = "build_csv"
        build_csv(site, run_id)
        current = "publish_manifest"
        publish_manifest(site, run_id)
    except BulkExportError as error:
        return _failed(site, run_id, current, error)
    except KeyboardInterrupt as stop:
        return _failed(site, run_id, current, stop)
    except Exception as error:
        _failed(site, run_id, current, error)
        raise
    return write_audit(site, run_id)


def _failed(site: Site, run_id: str, stage_name: str, error: BaseException) -> RunRecord:
    """Close the record of a run that stopped; where none could be opened, the error itself is the answer."""
    try:
        return write_audit(site, run_id, (stage_name,), cancelled=isinstance(error, KeyboardInterrupt))
    except BulkExportError:
        raise error from None
