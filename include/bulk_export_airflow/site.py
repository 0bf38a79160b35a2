"""Read a task's surroundings: its site and its run.

This is the only place that reads Airflow's context, the environment and the clock; `bulk_export` is given them.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import get_current_context
from airflow.sdk.configuration import conf

from bulk_export.definitions.run import IMMEDIATE
from bulk_export.errors import DefinitionError
from bulk_export.pipeline import open_site
from bulk_export.runs.request import RunRequest
from bulk_export.stage_registry import STAGES
from bulk_export_airflow.connections import credentials, database_url
from bulk_export_airflow.follow_up import CONTINUES
from bulk_export_airflow.parameters import read_immediate, read_run

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import DagRunProtocol

    from bulk_export.site import Site

# Seconds before the first retry of a task; each further one waits twice as long. 30 where it is not set.
RETRY_DELAY_VARIABLE = "BULK_EXPORT_RETRY_DELAY_S"
RETRY_DELAY_S = 30.0
_FOLDER_MACRO = "definitions_folder"

TRIGGERS = {"scheduled": "schedule", "manual": "manual", "backfill": "backfill"}


def dag_definitions(folder: Path) -> dict[str, Any]:
    """User-defined macros that name a DAG's definitions folder.

    The DAG carries them to its tasks.

    Macros are no part of the serialised DAG, so a folder whose path changes with each version of a DAG bundle makes no
    new version of the DAG.
    """
    return {_FOLDER_MACRO: folder}


def first_retry_delay() -> timedelta:
    """How long a failed task waits for its first retry."""
    return timedelta(seconds=float(os.environ.get(RETRY_DELAY_VARIABLE) or RETRY_DELAY_S))


def current_site() -> Site:
    """The site that the task under way works on."""
    return site_of(get_current_context())


def site_of(context: Context) -> Site:
    """The site of the definitions a task's DAG was made from."""
    return open_site(
        (context["dag"].user_defined_macros or {})[_FOLDER_MACRO],
        lambda: datetime.now(UTC),
        credentials=credentials,
        database_url=database_url,
        workers=os.cpu_count() or 1,
    )


def current_run_id() -> str:
    """The run's id in the audit.

    The same for every task and every retry of the DAG run.
    """
    return run_id_of(_dag_run())


def run_id_of(dag_run: DagRunProtocol) -> str:
    """The id in the audit of a DAG run's export."""
    return f"{dag_run.dag_id}/{dag_run.run_id}"


def run_request(export_id: str | None) -> RunRequest:
    """What this DAG run was asked for.

    Parameters that are unknown or wrong become its refusal, which is audited.
    """
    dag_run = _dag_run()
    common: dict[str, Any] = {
        "run_id": current_run_id(),
        "trigger": TRIGGERS.get(dag_run.run_type, "manual"),
        "triggered_by": getattr(dag_run, "triggering_user_name", None) or "",
        # Runs that somebody starts now have no logical date.
        "as_of": dag_run.logical_date or dag_run.run_after,
        # A backfill is due when somebody asks for it, not on the past day it is about.
        "queued_at": None if dag_run.run_type == "backfill" else dag_run.run_after,
        "dag_id": dag_run.dag_id,
        "dag_run_id": dag_run.run_id,
        "dag_run_url": dag_run_url(dag_run.dag_id, dag_run.run_id),
    }
    if continues := (dag_run.conf or {}).get(CONTINUES):
        continued = {"trigger": "continuation", "continues_run_id": str(continues)}
        return RunRequest(export_id=export_id or IMMEDIATE, **common | continued)
    try:
        if export_id is not None:
            return RunRequest(export_id=export_id, parameters=read_run(dag_run.conf or {}), **common)
        immediate, parameters = read_immediate(get_current_context()["params"])
    except DefinitionError as error:
        return RunRequest(export_id=export_id or IMMEDIATE, refusal=error, **common)
    return RunRequest(export_id=IMMEDIATE, immediate=immediate, parameters=parameters, **common)


def failed_stages() -> tuple[str, ...]:
    """The stages of this DAG run that failed themselves, in their order."""
    states = _states()
    return tuple(stage for stage in STAGES if "failed" in states.get(stage, ()))


def was_cancelled() -> bool:
    """Whether somebody marked this DAG run as failed.

    Airflow then skips what had not begun.
    """
    states = _states()
    dry_run = bool((_dag_run().conf or {}).get("dry_run"))
    # A dry run skips what would write.
    expected = [stage for stage in STAGES.all() if stage.always_runs and not (dry_run and stage.writes)]
    return any("skipped" in states.get(stage.name, ()) for stage in expected)


def _states() -> dict[str, set[str]]:
    """The states of each stage's tasks in this DAG run; Airflow calls mapped ones `copy_media_0`."""
    context = get_current_context()
    dag_run = _dag_run()
    answered = context["ti"].get_task_states(dag_id=dag_run.dag_id, run_ids=[dag_run.run_id])
    found: dict[str, set[str]] = {}
    for name, state in answered.get(dag_run.run_id, {}).items():
        stage, _, job = name.rpartition("_")
        found.setdefault(stage if job.isdigit() else name, set()).add(str(state))
    return found


def dag_run_url(dag_id: str, dag_run_id: str) -> str:
    """Where Airflow's UI shows a run."""
    base = conf.get("api", "base_url", fallback="http://localhost:8080").rstrip("/")
    return f"{base}/dags/{dag_id}/runs/{quote(dag_run_id)}"


def _dag_run() -> DagRunProtocol:
    return get_current_context()["dag_run"]
