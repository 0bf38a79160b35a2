"""The tasks of the maintenance DAG."""

from __future__ import annotations

from airflow.sdk import get_current_context

from bulk_export.maintenance import clear_old_staging, close_abandoned
from export_follow_up import follow_up_run_id, queue_follow_up
from export_metrics import measure
from export_notify import tell
from export_pipeline import log, stage
from export_site import site

STILL_GOING = ["queued", "running"]


@stage()
def close_abandoned_runs() -> list[str]:
    """Close every open run whose DAG run has ended or is gone. Returns those that a follow-up run has to continue."""
    here = site()
    closed = close_abandoned(here, _still_going, follow_up=follow_up_run_id)
    for record in closed:
        measure(record)
        log.info("Closed %s as %s; told by %s.", record.run_id, record.status, tell(here, record.run_id))
    return [record.run_id for record in closed if record.follow_up_run_id]


@stage()
def queue_follow_up_run(continued: str) -> None:
    """Queue the follow-up run that the lost run would have queued."""
    queue_follow_up(site().reread(continued))


@stage()
def clear_staging() -> list[str]:
    """Remove what runs that failed two weeks ago left in the staging area."""
    return clear_old_staging(site())


def _still_going(dag_id: str, dag_run_id: str) -> bool:
    ti = get_current_context()["ti"]
    return bool(ti.get_dr_count(dag_id=dag_id, run_ids=[dag_run_id], states=STILL_GOING))


def maintenance_tasks() -> None:
    """Put the tasks into the DAG that is being built."""
    queue_follow_up_run.expand(continued=close_abandoned_runs())
    clear_staging()
