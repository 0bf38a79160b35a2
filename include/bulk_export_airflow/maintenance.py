"""Build the maintenance DAG, which closes abandoned runs.

Each run that was lost has tasks of its own, so that trouble with one, or with a notification, stops no other.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG, get_current_context, task_group
from airflow.sdk.exceptions import AirflowSkipException

from bulk_export.definitions.dag_ids import MAINTENANCE_DAG_ID
from bulk_export.maintenance import abandoned_runs, clear_old_staging, close_abandoned
from bulk_export.runs.follow_up import lost_follow_ups
from bulk_export_airflow.dag import OWNER, TAG
from bulk_export_airflow.follow_up import follow_up_run_id, queue_follow_up
from bulk_export_airflow.metrics import measure
from bulk_export_airflow.notify import notify_about
from bulk_export_airflow.site import current_site, dag_definitions, dag_run_url
from bulk_export_airflow.tasks import export_task

_DOCUMENT = """Closes what nobody closed: runs that a time limit, a dead process or a dead host ended without a word.

It gives their quota back, closes their audit record, queues a follow-up run that was lost, notifies those whom it
concerns, and clears the staging area of runs that failed two weeks ago.
"""
STILL_GOING = ["queued", "running"]


@export_task()
def find_abandoned_runs() -> list[str]:
    """Find every open run whose DAG run has ended or is gone."""
    return abandoned_runs(current_site(), _still_going)


@export_task()
def close_abandoned_run(abandoned: str) -> str:
    """Close an abandoned run, and release its quota."""
    record = close_abandoned(current_site(), abandoned, _still_going, follow_up=follow_up_run_id)
    if record is None:
        raise AirflowSkipException("It goes on after all.")
    measure(record)
    return record.run_id


@export_task()
def notify_about_run(closed: str) -> str:
    """Notify of the lost run's end; returns what was sent."""
    return notify_about(current_site(), closed)


@export_task()
def find_lost_follow_ups() -> list[str]:
    """Find the runs whose follow-up run was never queued.

    Whenever and by whomever they were closed.
    """
    return lost_follow_ups(current_site(), _known, dag_run_url)


@export_task()
def queue_follow_up_run(continued: str) -> None:
    """Queue the follow-up run that the lost run would have queued."""
    queue_follow_up(current_site().reread(continued))


@export_task()
def clear_staging() -> list[str]:
    """Remove what old failed runs left in the staging area."""
    return clear_old_staging(current_site())


def _still_going(dag_id: str, dag_run_id: str) -> bool:
    ti = get_current_context()["ti"]
    return bool(ti.get_dr_count(dag_id=dag_id, run_ids=[dag_run_id], states=STILL_GOING))


def _known(dag_id: str, dag_run_id: str) -> bool:
    return bool(get_current_context()["ti"].get_dr_count(dag_id=dag_id, run_ids=[dag_run_id]))


def build_maintenance_dag(folder: Path) -> DAG:
    """Make the maintenance DAG of an installation."""
    with DAG(
        dag_id=MAINTENANCE_DAG_ID,
        dag_display_name="Bulk export maintenance",
        description="Close the runs that ended without a word, and release their quota",
        doc_md=_DOCUMENT,
        schedule="*/5 * * * *",
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        is_paused_upon_creation=False,
        max_active_runs=1,
        default_args={"owner": OWNER},
        tags=[TAG, "maintenance"],
        user_defined_macros=dag_definitions(folder),
    ) as dag:
        _maintenance_tasks()
    return dag


def _maintenance_tasks() -> None:
    # Whatever became of closing: follow-up runs are read from the audit, and an earlier loss is as good as one of now.
    lost = find_lost_follow_ups.override(trigger_rule="all_done")()

    @task_group(prefix_group_id=False)
    def abandoned_run(abandoned: str) -> None:
        closed = close_abandoned_run(abandoned)
        closed >> lost
        notify_about_run(closed)

    abandoned_run.expand(abandoned=find_abandoned_runs())
    queue_follow_up_run.expand(continued=lost)
    clear_staging()
