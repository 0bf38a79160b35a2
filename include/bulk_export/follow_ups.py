"""A follow-up run until it begins: in the audit as QUEUED, and found again where it was lost.

`continuation.py` says what it exports. Airflow queues it, at the end of the run it continues or in the maintenance DAG.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from bulk_export.continuation import follow_up_due
from bulk_export.definitions.run import IMMEDIATE, RunParameters, RunSnapshot
from bulk_export.errors import DefinitionError
from bulk_export.state.records import NewRun, RunRecord, Trigger

if TYPE_CHECKING:
    from bulk_export.site import Site

# Told DAG id and DAG run id: whether Airflow has the run, in whatever state.
Known = Callable[[str, str], bool]
# Told the same: where Airflow shows the run.
Address = Callable[[str, str], str]


def show_queued(site: Site, parent: RunRecord, address: Address) -> None:
    """Open the record of the run that continues this one, as QUEUED; nothing where it has one.

    Only for a run that Airflow has: a QUEUED record without its DAG run means that somebody took that away.
    """
    from bulk_export.state.events import append_event
    from bulk_export.state.runs import open_run

    if _has_record(site, parent.follow_up_run_id):
        return
    new, now = _queued_run(parent, address), site.clock()
    what = f"export {new.export_id}"
    append_event(site.engine, parent.triggered_by or str(new.trigger), "triggered", what, f"run {new.run_id}", now)
    open_run(site.engine, new, now, start=False)


def lost_follow_ups(site: Site, known: Known, address: Address) -> list[str]:
    """The runs whose follow-up run was never queued, by id; those that were are shown in the audit.

    One that can no longer run is not asked for: its contacts have been exported, or its export is deleted.
    """
    from bulk_export.state.runs import list_without_follow_up

    lost = []
    for parent in list_without_follow_up(site.engine):
        if known(parent.dag_id, _dag_run_id(parent)):
            show_queued(site, parent, address)
        elif site.staging(parent.run_key).has_rest() and _has_dag(site, parent.export_id):
            lost.append(parent.run_id)
    return lost


def _has_record(site: Site, run_id: str) -> bool:
    try:
        site.reread(run_id)
    except DefinitionError:  # RUN_UNKNOWN
        return False
    return True


def _has_dag(site: Site, export_id: str) -> bool:
    return export_id == IMMEDIATE or export_id in site.load(export_id).exports


def _dag_run_id(parent: RunRecord) -> str:
    return parent.follow_up_run_id.removeprefix(f"{parent.dag_id}/")


def _queued_run(parent: RunRecord, address: Address) -> NewRun:
    """What is known of the run before it begins; then it takes the licence of the day and a directory."""
    snapshot = RunSnapshot.model_validate_json(parent.definitions)
    dag_run_id = _dag_run_id(parent)
    return NewRun(
        run_id=parent.follow_up_run_id,
        export_id=parent.export_id,
        export_name=parent.export_name,
        version=parent.version,
        trigger=Trigger.CONTINUATION,
        triggered_by=parent.triggered_by,
        as_of=parent.as_of,
        licence=parent.licence,
        definitions=snapshot.model_copy(update={"parameters": RunParameters()}).model_dump_json(),
        destination_name=parent.destination_name,
        destination_uri=parent.destination_uri,
        directory="",
        formats=parent.formats,
        dag_id=parent.dag_id,
        dag_run_id=dag_run_id,
        dag_run_url=address(parent.dag_id, dag_run_id),
        continues_run_id=parent.run_id,
        queued_at=follow_up_due(parent),
    )
