"""Queue the run that exports the rest after the day's quota.

Same DAG, due when the next quota day starts.
"""

from __future__ import annotations

from typing import NoReturn

from airflow.sdk.exceptions import DagRunTriggerException

from bulk_export.definitions.run import IMMEDIATE, RunSnapshot
from bulk_export.runs.follow_up import follow_up_due
from bulk_export.state.records import RunRecord

CONTINUES = "continues"


def follow_up_dag_run_id(record: RunRecord) -> str:
    """Airflow's id of the follow-up run.

    Made from the run it continues, so queueing it twice is queueing it once.
    """
    return f"continuation__{follow_up_due(record):%Y-%m-%dT%H:%M}__{record.run_key}"


def follow_up_run_id(record: RunRecord) -> str:
    """The follow-up run's id in the audit."""
    return f"{record.dag_id}/{follow_up_dag_run_id(record)}"


def queue_follow_up(record: RunRecord) -> NoReturn:
    """End the task by queueing the follow-up run.

    Airflow takes this exception as the task's success.
    """
    raise DagRunTriggerException(
        trigger_dag_id=record.dag_id,
        dag_run_id=follow_up_dag_run_id(record),
        conf=_conf(record),
        run_after=follow_up_due(record),
        reset_dag_run=False,
        skip_when_already_exists=True,
        wait_for_completion=False,
        allowed_states=[],
        failed_states=[],
        poke_interval=60,
        deferrable=False,
        note=f"Exports what the quota of {record.quota_day} did not reach in {record.dag_run_id}.",
    )


def _conf(record: RunRecord) -> dict[str, str]:
    if record.export_id != IMMEDIATE:
        return {CONTINUES: record.run_id}
    # The form of the immediate DAG has parameters that Airflow asks of every run.
    export = RunSnapshot.model_validate_json(record.definitions).export
    given = {"name": export.name, "search": export.search, "storage_location": export.storage_location}
    return {**given, CONTINUES: record.run_id}
