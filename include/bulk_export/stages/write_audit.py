"""End a run, whatever became of it.

The audit is closed, the quota settled, deliveries are remembered, the staging area is cleared.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from bulk_export.audit.close import close_audit
from bulk_export.errors import BulkExportError, LateAttemptError
from bulk_export.runs.follow_up import forget_rest, has_rest
from bulk_export.runs.incremental import remember_undelivered
from bulk_export.runs.marker import settle_marker
from bulk_export.runs.open_run import OpenRun
from bulk_export.runs.selection import freeze_keys
from bulk_export.stage_registry import STAGES, Phase
from bulk_export.stages.stage import load_run
from bulk_export.state.events import append_event
from bulk_export.state.items import forget_items
from bulk_export.state.publications import find_publication, forget_publication
from bulk_export.state.records import RunRecord
from bulk_export.state.run_errors import record_error
from bulk_export.state.runs import record_follow_up

if TYPE_CHECKING:
    from bulk_export.site import Site


def write_audit(
    site: Site,
    run_id: str,
    failed_stages: tuple[str, ...] = (),
    *,
    cancelled: bool = False,
    follow_up: Callable[[RunRecord], str] | None = None,
) -> RunRecord:
    """Close the record, then remove what only this run needed.

    The destination is asked first: a run whose directory has its marker is published, whatever failed. A late attempt
    changes nothing, and the record is returned as it is.

    What a failed run left in the staging area stays: cleared and run again, it goes on from there.

    Args:
        site: the installation.
        run_id: the run.
        failed_stages: names of the stages that did not finish, in the order of the pipeline.
        cancelled: somebody stopped the run.
        follow_up: names the run that will be queued for the rest the quota did not reach; None where nothing queues.

    Raises:
        DefinitionError: RUN_UNKNOWN when `validate_filters` could not even open a record.
        TransientError, RefusedError: the destination cannot be asked whether the run's directory is finished, and it
            may be.
    """
    run = _settled(load_run(site, run_id))
    failed_stages = _failed_after_publishing(failed_stages) if run.record.published else failed_stages
    failed_stage = failed_stages[0] if failed_stages else None
    try:
        record = _close(run, failed_stage, cancelled=cancelled, follow_up=follow_up)
    except LateAttemptError:  # somebody else has closed it, or goes on with it
        return site.reread(run_id)
    who = record.triggered_by or str(record.trigger)
    append_event(site.engine, who, "closed", f"run {run_id}", str(record.status), site.clock())
    if record.definitions:
        with suppress(BulkExportError):  # where it cannot even be made, there is nothing to remove
            shutil.rmtree(site.scratch(record.run_key), ignore_errors=True)
        if failed_stage is None and not cancelled:
            closed = OpenRun(site, record)
            closed.staging.clear()
            forget_rest(closed)
    return record


def _settled(run: OpenRun) -> OpenRun:
    """The run as its directory says it is.

    Where that cannot be asked, and there may be a marker, the run stays open: closed as failed, it would give back the
    quota of what it has delivered.
    """
    if not run.record.definitions:
        return run
    try:
        return settle_marker(run)
    except LateAttemptError:
        return run.reread()
    except BulkExportError as error:
        if error.code == "STRAY_FILES":  # the marker is wrong and stays, which somebody must know
            record_error(run.site.engine, run.record.run_id, stage="write_audit", error=error, now=run.site.clock())
        elif find_publication(run.site.engine, run.record.run_id) is not None:
            raise
    return run


def _failed_after_publishing(failed_stages: tuple[str, ...]) -> tuple[str, ...]:
    """The stages that count as failed once the directory is finished: what it took is done, though it was killed."""
    publishing, *_ = STAGES.of(Phase.PUBLISH)
    later = STAGES[STAGES.index(publishing.name) + 1 :]
    return tuple(name for name in failed_stages if name in later)


def _close(
    run: OpenRun, failed_stage: str | None, *, cancelled: bool, follow_up: Callable[[RunRecord], str] | None
) -> RunRecord:
    engine, run_id = run.site.engine, run.record.run_id
    run.attempt.confirm()
    if follow_up is not None and has_rest(engine, run.record):
        record_follow_up(engine, run_id, follow_up(run.record))
    # Before the record is closed, because nobody looks after a closed one again.
    if run.record.matched is not None and run.snapshot.export.incremental and not run.dry:
        if not run.record.published:
            freeze_keys(run)  # a power cut may have taken them
        remember_undelivered(run)
    if not run.record.published:
        forget_items(engine, run_id, attempt=run.attempt.number)
        forget_publication(engine, run_id)
    return close_audit(
        engine,
        run_id,
        failed_stage=failed_stage,
        cancelled=cancelled,
        now=run.site.clock(),
        attempt=run.attempt.number,
    )
