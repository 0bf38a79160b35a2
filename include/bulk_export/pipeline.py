"""Call the stages of a run, in order, on one screen.

`STAGES` says which they are; the tasks of every generated DAG, `run_export` and these functions call the same ones. A
stage gets the site and the run's id, reads what earlier stages left in the run record and the staging area, and leaves
its own there. It may run again at any time, and then goes on where it stopped.

Each function imports its stage when it is called: a DAG file that is parsed needs the names, not the libraries.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bulk_export.errors import BulkExportError, LateAttemptError, StateAwayError, TransientError
from bulk_export.stage_registry import STAGES, Counts, Phase

if TYPE_CHECKING:
    from bulk_export.runs.request import RunRequest
    from bulk_export.site import Site
    from bulk_export.state.records import RunRecord
    from bulk_export.storage.credentials import Credentials

_LOST_AT_MOST = 3  # times that the state database goes away during one stage


def open_site(
    definitions: Path,
    clock: Callable[[], datetime],
    *,
    credentials: Callable[[str], Credentials] | None = None,
    database_url: Callable[[str], str] | None = None,
    workers: int = 2,
) -> Site:
    """The installation whose runs the stages work on.

    Arguments as `site.Site` has them.
    """
    from bulk_export.site import Site

    return Site(definitions, clock, credentials=credentials, database_url=database_url, workers=workers)


def validate_filters(site: Site, request: RunRequest) -> str:
    """Open the audit record, freeze the definitions, refuse what cannot run.

    Returns the run's id.
    """
    from bulk_export.stages.validate_filters import validate_filters as run_stage

    return run_stage(site, request)


def check_quota(site: Site, run_id: str) -> Counts:
    """Count and freeze the matches, and reserve quota for them.

    The reservation is one transaction.
    """
    from bulk_export.stages.check_quota import check_quota as run_stage

    return run_stage(site, run_id)


def batch_contacts(site: Site, run_id: str) -> list[int]:
    """Cut the granted contacts into jobs, oldest first.

    Every field is frozen. Returns the job numbers, from 1.
    """
    from bulk_export.stages.batch_contacts import batch_contacts as run_stage

    return run_stage(site, run_id)


def copy_media(site: Site, run_id: str, job: int) -> Counts:
    """Copy, remux or transcode the media of one job's contacts."""
    from bulk_export.stages.copy_media import copy_media as run_stage

    return run_stage(site, run_id, job)


def export_transcripts(site: Site, run_id: str, job: int) -> Counts:
    """Write the transcripts of one job's contacts as JSON or XML."""
    from bulk_export.stages.export_transcripts import export_transcripts as run_stage

    return run_stage(site, run_id, job)


def build_csv(site: Site, run_id: str) -> Counts | None:
    """Write contacts.csv, one row per exported contact.

    Every job in order. Returns None for a dry run.
    """
    from bulk_export.stages.build_csv import build_csv as run_stage

    return run_stage(site, run_id)


def publish_manifest(site: Site, run_id: str) -> Counts | None:
    """Write items.csv and the manifests, and last of all the marker.

    The marker says that the directory is whole. Returns None for a dry run.
    """
    from bulk_export.stages.publish_manifest import publish_manifest as run_stage

    return run_stage(site, run_id)


def write_audit(
    site: Site,
    run_id: str,
    failed_stages: tuple[str, ...] = (),
    *,
    cancelled: bool = False,
    follow_up: Callable[[RunRecord], str] | None = None,
) -> RunRecord:
    """Close the audit record, settle the quota, clear the staging area.

    Whatever happened: the quota is charged what was delivered.
    """
    from bulk_export.stages.write_audit import write_audit as run_stage

    return run_stage(site, run_id, failed_stages, cancelled=cancelled, follow_up=follow_up)


def run_export(site: Site, request: RunRequest) -> RunRecord:
    """Run every stage, one after the other, as `bulk-export run` does.

    The outcome, good or bad, is the record.

    Raises:
        DefinitionError: the settings do not load, so that there is nowhere to keep a record.
    """
    run_id, jobs = request.run_id, []
    [stage] = STAGES.of(Phase.OPEN)
    delivering = STAGES.of(Phase.DELIVER)
    try:
        _called(stage.call, site, request)
        for stage in STAGES.of(Phase.SELECT):
            jobs = _called(stage.call, site, run_id)
        for job in jobs:
            for stage in (each for each in delivering if each.per_job):
                _called(stage.call, site, run_id, job)
        for stage in [*(each for each in delivering if not each.per_job), *STAGES.of(Phase.PUBLISH)]:
            _called(stage.call, site, run_id)
    except LateAttemptError:  # another one has finished the run, or goes on with it
        return site.reread(run_id)
    except BulkExportError as error:
        return _failed(site, run_id, stage.name, error)
    except KeyboardInterrupt as stop:
        return _failed(site, run_id, stage.name, stop)
    except (OSError, MemoryError) as error:
        from bulk_export.storage.faults import machine_error

        return _failed(site, run_id, stage.name, machine_error(error, stage.name))
    except Exception as error:
        _failed(site, run_id, stage.name, error)
        raise
    return _closed(site, run_id)


def _called(stage: Callable[..., Any], *args: object) -> Any:
    """Call a stage, and again where the state database went away under it: it goes on where it stopped."""
    for _ in range(_LOST_AT_MOST):
        try:
            return stage(*args)
        except StateAwayError as error:
            if not error.lost:
                raise
    return stage(*args)


def _closed(site: Site, run_id: str, failed_stages: tuple[str, ...] = (), *, cancelled: bool = False) -> RunRecord:
    """Close the record; who stops a run while it is closed waits for that."""

    def close() -> RunRecord:
        return write_audit(site, run_id, failed_stages, cancelled=cancelled)

    try:
        return cast("RunRecord", _called(close))
    except KeyboardInterrupt:
        return cast("RunRecord", _called(close))


def _failed(site: Site, run_id: str, stage_name: str, error: BaseException) -> RunRecord:
    """Close the record of a run that stopped; where none could be opened, the error itself is the answer."""
    try:
        if isinstance(error, KeyboardInterrupt):
            _record_stop(site, run_id, stage_name, str(error))
        return _closed(site, run_id, (stage_name,), cancelled=isinstance(error, KeyboardInterrupt))
    except BulkExportError:
        raise error from None


def _record_stop(site: Site, run_id: str, stage_name: str, signal: str) -> None:
    from bulk_export.state.run_errors import record_error

    record = site.reread(run_id)
    stop = TransientError(
        "INTERRUPTED",
        f"{stage_name} was stopped by {signal or 'the keyboard'}",
        hint=f"Go on with it: bulk-export run {record.export_id} --resume {record.run_key}",
    )
    record_error(site.engine, run_id, stage=stage_name, error=stop, now=site.clock())
