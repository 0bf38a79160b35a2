"""Close abandoned runs, and clear old staging.

Their process, host or Airflow went away, or a time limit ended them.

A run's own `write_audit` is skipped by a DAG run timeout and lost with a dead host. Its quota must not stay held, nor
its record open. What such a run left in the staging area stays until it is cleared and run again, or too old.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from bulk_export.errors import DefinitionError
from bulk_export.pipeline import write_audit
from bulk_export.process import has_ended, process_of
from bulk_export.staging.run_areas import run_keys
from bulk_export.state.progress import list_progress
from bulk_export.state.records import OPEN, UNSUCCESSFUL, RunRecord
from bulk_export.state.runs import STILL_OPEN, find_run, list_runs

if TYPE_CHECKING:
    from datetime import datetime

    from bulk_export.site import Site

# Whether a DAG run is still to be waited for; False for one that has ended or is gone.
StillGoing = Callable[[str, str], bool]

# A command-line run of another machine has nobody to ask. It writes its progress every few seconds, so hours of silence
# are its end.
SILENCE = timedelta(hours=6)
KEEP_STAGING = timedelta(days=14)
# As many as Airflow makes tasks of, unless configured otherwise. Others are found the next time.
AT_ONCE = 1_000


def abandoned_runs(site: Site, still_going: StillGoing) -> list[str]:
    """The open runs that have ended without saying so, by id.

    Args:
        site: the installation.
        still_going: asked with DAG id and DAG run id.
    """
    candidates = list_runs(site.engine, STILL_OPEN, limit=10_000)
    return [record.run_id for record in candidates if _is_over(site, record, still_going)][:AT_ONCE]


def close_abandoned(
    site: Site, run_id: str, still_going: StillGoing, *, follow_up: Callable[[RunRecord], str] | None = None
) -> RunRecord | None:
    """Close an abandoned run and release its quota.

    Asked once more it finds the run closed and returns it again, because others may still have to hear of its end.

    Args:
        site: the installation.
        run_id: one of `abandoned_runs`.
        still_going: asked with DAG id and DAG run id.
        follow_up: as in `write_audit`, for a run that was killed after it had published.

    Returns:
        The closed record; None where the run goes on after all.
    """
    record = site.reread(run_id)
    if record.status not in OPEN:
        return record
    if not _is_over(site, record, still_going):
        return None
    failed = (record.failed_stage or "run",)
    # On the command line nobody queues: the rest goes on when somebody asks for it.
    named_by = follow_up if record.dag_run_id else None
    return write_audit(site, run_id, failed, cancelled=False, follow_up=named_by)


def _is_over(site: Site, record: RunRecord, still_going: StillGoing) -> bool:
    if record.dag_run_id:
        return not still_going(record.dag_id, record.dag_run_id)
    process = process_of(record.process)
    ended = has_ended(process) if process else None
    return is_silent(site, record) if ended is None else ended


def ended_here(site: Site) -> list[str]:
    """The open runs whose process on this machine has ended, by id."""
    open_here = [record for record in list_runs(site.engine, STILL_OPEN, limit=10_000) if not record.dag_run_id]
    found = ((record.run_id, process_of(record.process)) for record in open_here)
    return [run_id for run_id, process in found if process is not None and has_ended(process)]


def is_silent(site: Site, record: RunRecord) -> bool:
    """Whether a run has given no sign for too long."""
    return _last_sign(site, record) < site.clock() - SILENCE


def clear_old_staging(site: Site) -> list[str]:
    """Remove what ended runs left in the staging area.

    Failed ones two weeks ago or earlier, others whenever: they were killed before they removed it themselves. Returns
    their run ids.
    """
    cleared = []
    before = site.clock() - KEEP_STAGING
    for run_key in run_keys(site.open_location(site.settings.staging)):
        try:
            record = find_run(site.engine, run_key)
        except DefinitionError:  # RUN_UNKNOWN: another installation's
            continue
        needed = record.status in OPEN or (record.status in UNSUCCESSFUL and (record.ended_at or before) > before)
        if not needed:
            site.staging(run_key).clear()
            cleared.append(record.run_id)
    return cleared


def _last_sign(site: Site, record: RunRecord) -> datetime:
    times = [job.updated_at for job in list_progress(site.engine, record.run_id)]
    return max([*times, record.started_at or record.queued_at])
