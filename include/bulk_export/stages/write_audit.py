"""End a run, whatever became of it.

The audit is closed, the quota settled, deliveries are remembered, the staging area is cleared.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from bulk_export.audit.close import close_audit
from bulk_export.runs.follow_up import forget_rest, has_rest
from bulk_export.runs.incremental import remember_undelivered
from bulk_export.stages.stage import load_run
from bulk_export.state.events import append_event
from bulk_export.state.records import RunRecord
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

    What a failed run left in the staging area stays: cleared and run again, it goes on from there.

    Args:
        site: the installation.
        run_id: the run.
        failed_stages: names of the stages that did not finish, in the order of the pipeline.
        cancelled: somebody stopped the run.
        follow_up: names the run that will be queued for the rest the quota did not reach; None where nothing queues.

    Raises:
        DefinitionError: RUN_UNKNOWN when `validate_filters` could not even open a record.
    """
    failed_stage = failed_stages[0] if failed_stages else None
    now = site.clock()
    run = load_run(site, run_id)
    if follow_up is not None and has_rest(run):
        record_follow_up(site.engine, run_id, follow_up(run.record))
    # Before the record is closed, because nobody looks after a closed one again.
    if run.record.definitions and run.snapshot.export.incremental:
        remember_undelivered(run)
    record = close_audit(site.engine, run_id, failed_stage=failed_stage, cancelled=cancelled, now=now)
    who = record.triggered_by or str(record.trigger)
    append_event(site.engine, who, "closed", f"run {run_id}", str(record.status), now)
    if record.definitions:
        shutil.rmtree(run.scratch, ignore_errors=True)
        if failed_stage is None and not cancelled:
            run.staging.clear()
            forget_rest(run)
    return record
