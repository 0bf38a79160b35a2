"""Build the DAGs that export: name, schedule, form and tasks.

Everything here is decided by the definitions alone. Nothing may change from one parse to the next, or Airflow would
keep a new version of the DAG every 30 seconds.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, CronTriggerTimetable, MultipleCronTriggerTimetable

from bulk_export.definitions.dag_ids import IMMEDIATE_DAG_ID
from bulk_export.definitions.definition_file import UnreadableDefinitionError, read_definition
from bulk_export.definitions.loader import Definitions
from bulk_export.definitions.models import SavedExport, Schedule
from bulk_export.definitions.schedules import start_of, ticks
from bulk_export_airflow.parameters import immediate_params, run_params
from bulk_export_airflow.site import dag_definitions
from bulk_export_airflow.tasks import DEFAULT_POOL, UNLIMITED, TaskLimits, export_tasks

OWNER = "bulk-export"
TAG = "bulk export"
# Larger than the time from saving a definition to its DAG being up: a run due in between starts late, not never.
REFRESH_WINDOW = timedelta(minutes=10)
# Airflow counts a follow-up run that waits for tomorrow as active and drops every tick above the limit. With a limit of
# one, a day's quota that runs out would cost the next days' runs. Runs of an incremental export must not overlap, or
# both deliver the same contacts; they lose nothing by a tick less, because the next one takes up what is missing.
OVERLAPPING_RUNS = 16
# Far beyond the longest export; it ends what hangs for ever, and the maintenance DAG then closes its audit record.
RUN_LIMIT = timedelta(days=7)


def build_saved_dag(export: SavedExport, definitions: Definitions) -> DAG:
    """Make the DAG of one saved export.

    `enabled: false` takes its schedule away and leaves the DAG, with its history, to be triggered by hand. Airflow's
    own pause switch stays the operator's.
    """
    path = definitions.folder / "exports" / f"{export.id}.yaml"
    with DAG(
        dag_id=export.dag_id,
        dag_display_name=export.name,
        description=export.description or f"Bulk contact export of the saved search {export.search}",
        doc_md=_document(export, definitions.folder),
        schedule=timetable(export.schedule) if export.schedule and export.enabled else None,
        # Airflow runs no tick before it and, of those it missed since, the last one.
        start_date=start_of(export.effective_from, _changed_at(path)) if export.schedule else None,
        catchup=False,
        is_paused_upon_creation=False,
        max_active_runs=1 if export.incremental else OVERLAPPING_RUNS,
        dagrun_timeout=RUN_LIMIT,
        default_args={"owner": export.owner or OWNER},
        tags=[TAG, _kind(export)],
        user_defined_macros=dag_definitions(definitions.folder),
    ) as dag:
        limits = limits_for(definitions, export.storage_location)
        export_tasks(export.id, notifies=export.notify is not None, limits=limits)
    # Only now: each task made before would carry, check and serialise a copy of the whole form.
    dag.params.update(run_params(definitions))
    return dag


def build_immediate_dag(definitions: Definitions) -> DAG:
    """Make the DAG that exports at once what its form asks for."""
    with DAG(
        dag_id=IMMEDIATE_DAG_ID,
        dag_display_name="Bulk contact export now",
        description="Export the contacts of a saved search immediately, without saving the export",
        doc_md="Sends an export at once: whoever triggers it says in its form which contacts go where, and how.",
        schedule=None,
        is_paused_upon_creation=False,
        default_args={"owner": OWNER},
        tags=[TAG, "immediate"],
        user_defined_macros=dag_definitions(definitions.folder),
    ) as dag:
        export_tasks(None, limits=limits_for(definitions))
    # Only now, as above: no task needs a copy of the form.
    dag.params.update(immediate_params(definitions))
    return dag


def limits_for(definitions: Definitions, storage_location: str | None = None) -> TaskLimits:
    """What the tasks of an export to this storage location may take."""
    settings = definitions.settings
    if settings is None:
        return UNLIMITED
    location = settings.storage_locations.get(storage_location or "")
    return TaskLimits(
        reading=settings.contact_store.pool or DEFAULT_POOL,
        writing=(location and location.pool) or DEFAULT_POOL,
        jobs_at_once=settings.limits.jobs_at_once,
    )


def timetable(schedule: Schedule) -> CronTriggerTimetable | MultipleCronTriggerTimetable:
    """A schedule as Airflow's own cron timetable, in the export's zone."""
    wanted = ticks(schedule)
    if len(wanted.crons) == 1:
        return CronTriggerTimetable(wanted.crons[0], timezone=wanted.time_zone, run_immediately=REFRESH_WINDOW)
    return MultipleCronTriggerTimetable(*wanted.crons, timezone=wanted.time_zone, run_immediately=REFRESH_WINDOW)


def _changed_at(path: Path) -> datetime:
    # st_ctime, not st_mtime: it says when the file came to this machine, whatever time a copy or a checkout gave it.
    return datetime.fromtimestamp(path.stat(follow_symlinks=False).st_ctime, UTC)


def _kind(export: SavedExport) -> str:
    if not export.enabled:
        return "disabled"
    if export.schedule is None:
        return "on demand"
    return next(kind for kind in ("weekly", "monthly", "cron") if getattr(export.schedule, kind) is not None)


def _document(export: SavedExport, folder: Path) -> str:
    """The definition as people wrote it."""
    parts = [f"### {export.name}\n\n{export.description}".rstrip()]
    for name in (f"exports/{export.id}.yaml", f"searches/{export.search}.yaml"):
        with suppress(FileNotFoundError, UnreadableDefinitionError):
            text = read_definition(folder, name).decode("utf-8", errors="replace")
            parts.append(f"`{name}`\n\n```yaml\n{text.rstrip()}\n```")
    return "\n\n".join(parts) + "\n"
