"""The DAG that closes what nobody closed: runs that a time limit, a dead process or a dead host ended without a word.

It gives their quota back, closes their audit record, queues a follow-up run that was lost, tells whom it concerns, and
clears the staging area of runs that failed two weeks ago.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, get_parsing_context

from bulk_export_airflow.dag import OWNER, TAG
from bulk_export_airflow.maintenance import maintenance_tasks

DAG_ID = "bulk_export_maintenance"

if get_parsing_context().dag_id in {None, DAG_ID}:
    with DAG(
        dag_id=DAG_ID,
        dag_display_name="Bulk export maintenance",
        description="Close the runs that ended without a word, and release their quota",
        doc_md=__doc__,
        schedule="*/5 * * * *",
        start_date=datetime(2026, 1, 1, tzinfo=UTC),
        catchup=False,
        is_paused_upon_creation=False,
        max_active_runs=1,
        default_args={"owner": OWNER},
        tags=[TAG, "maintenance"],
    ):
        maintenance_tasks()
