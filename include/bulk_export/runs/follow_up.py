"""Export the rest on the next quota day, in a follow-up run.

The rest is exactly what the day's quota did not reach.

The rest is frozen as keys in the staging area when the run is published, with the definitions it was selected with. The
follow-up takes both, so that over all days each contact is exported once, however often that takes and whatever was
edited in between. Only the licence is that of the day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from bulk_export.contacts.base import Matches
from bulk_export.definitions.run import IMMEDIATE, RunParameters, RunSnapshot
from bulk_export.errors import DefinitionError
from bulk_export.quota import Share, next_quota_day_starts
from bulk_export.reasons import ItemStatus, Reason
from bulk_export.state.events import append_event
from bulk_export.state.items import contacts_with
from bulk_export.state.records import NewRun, RunRecord, Trigger
from bulk_export.state.run_links import is_continued, list_without_follow_up, running_continuations
from bulk_export.state.runs import create_run, find_run

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bulk_export.definitions.settings import Licence
    from bulk_export.runs.open_run import OpenRun
    from bulk_export.runs.request import RunRequest
    from bulk_export.site import Site
    from bulk_export.staging.run_staging import RunStaging


def keep_rest(run: OpenRun, share: Share) -> None:
    """Freeze the keys the quota did not reach.

    Where the export's policy is to go on; done before publishing.
    """
    if run.snapshot.export.on_quota_exceeded == "continue" and share.over_quota:
        run.staging.write_rest(run.staging.left_to_export().slice(share.granted, share.over_quota))
    else:
        run.staging.remove_rest()  # an earlier attempt's, of a day with less quota


def has_rest(engine: Engine, record: RunRecord) -> bool:
    """Whether a published run left contacts that no follow-up run has exported."""
    if not record.published or not record.by_reason.get(Reason.QUOTA_EXCEEDED):
        return False
    snapshot = RunSnapshot.model_validate_json(record.definitions)
    return snapshot.export.on_quota_exceeded == "continue" and not is_continued(engine, record.run_id)


def follow_up_due(record: RunRecord) -> datetime:
    """When the rest can be exported, in UTC.

    The first instant of the quota day after the one the run was charged to.
    """
    if record.quota_day is None:
        raise ValueError(f"{record.run_id} has no quota day, so it has no rest")
    zone = RunSnapshot.model_validate_json(record.definitions).environment.time_zone
    return next_quota_day_starts(record.quota_day, zone)


def continued_snapshot(site: Site, request: RunRequest, licence: Licence) -> RunSnapshot:
    """The definitions of the continued run, under today's licence.

    Raises:
        DefinitionError: RUN_UNKNOWN; or NOTHING_LEFT when that run left no rest, it has been exported or is being
            exported by another run, or it is another export's.
    """
    parent = _parent(site, request.continues_run_id)
    why = ""
    if not has_rest(site.engine, parent):
        why = "has no contacts left to export"
    elif parent.export_id != request.export_id:
        why = f"was a run of the export '{parent.export_id}', not of '{request.export_id}'"
    elif taken_by := _at_work_on(site, parent.run_id, request.run_id):
        why = f"is being continued by the run {taken_by}"
    if why:
        raise DefinitionError(
            "NOTHING_LEFT", f"the run {parent.run_id} {why}", hint="`bulk-export audit show` says what became of it."
        )
    snapshot = RunSnapshot.model_validate_json(parent.definitions)
    return snapshot.model_copy(update={"licence": licence, "parameters": RunParameters()})


def take_rest(run: OpenRun) -> Matches | None:
    """Select the rest of the continued run; None when it is lost."""
    keys = _parent_staging(run).read_rest()
    if keys is None:
        return None
    run.staging.write_keys(keys)
    return Matches(contacts=int(keys.num_rows), roots=0, media_bytes=0)


def rest_contacts(run: OpenRun) -> list[int]:
    """Ids of the contacts in it, as the audit has them."""
    parent = _parent(run.site, run.record.continues_run_id)
    return contacts_with(run.site.engine, parent.run_id, (ItemStatus.DEFERRED,), reason=Reason.QUOTA_EXCEEDED)


def forget_rest(run: OpenRun) -> None:
    """Remove the rest that a finished run has exported."""
    if run.record.continues_run_id:
        _parent_staging(run).remove_rest()


def _at_work_on(site: Site, parent_run_id: str, run_id: str) -> str:
    """Which other run is exporting the rest just now; empty for none."""
    return next((other for other in running_continuations(site.engine, parent_run_id) if other != run_id), "")


def _parent(site: Site, parent_run_id: str) -> RunRecord:
    return find_run(site.engine, parent_run_id)


def _parent_staging(run: OpenRun) -> RunStaging:
    return run.site.staging(_parent(run.site, run.record.continues_run_id).run_key)


# Called with DAG id and DAG run id: whether Airflow has the run, in whatever state.
Known = Callable[[str, str], bool]
# Called with the same: where Airflow shows the run.
Address = Callable[[str, str], str]


def show_queued(site: Site, parent: RunRecord, address: Address) -> None:
    """Record the follow-up run as QUEUED, unless it has a record.

    Only for a run that Airflow has: a QUEUED record without its DAG run means that somebody took that away.
    """
    if _has_record(site, parent.follow_up_run_id):
        return
    new, now = _queued_run(parent, address), site.clock()
    what = f"export {new.export_id}"
    append_event(site.engine, parent.triggered_by or str(new.trigger), "triggered", what, f"run {new.run_id}", now)
    create_run(site.engine, new, now, start=False)


def lost_follow_ups(site: Site, known: Known, address: Address) -> list[str]:
    """Ids of the runs whose follow-up run was never queued.

    Follow-up runs that were queued are shown in the audit.

    One that can no longer run is not asked for: its contacts have been exported, or its export is deleted.
    """
    lost = []
    for parent in list_without_follow_up(site.engine):
        if known(parent.dag_id, _dag_run_id(parent)):
            show_queued(site, parent, address)
        elif has_rest(site.engine, parent) and _has_dag(site, parent.export_id):
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
