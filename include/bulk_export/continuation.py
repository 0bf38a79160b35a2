"""What the day's quota did not reach is exported by a follow-up run on the next quota day: exactly the rest.

The rest is frozen as keys in the staging area when the run is published, with the definitions it was selected with. The
follow-up takes both, so that over all days each contact is exported once, however often that takes and whatever was
edited in between. Only the licence is taken as it stands on the day.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bulk_export.definitions.run import RunParameters, RunSnapshot
from bulk_export.errors import DefinitionError
from bulk_export.staging import KEYS, RunStaging

if TYPE_CHECKING:
    from bulk_export.definitions.settings import Licence
    from bulk_export.run_request import RunRequest
    from bulk_export.site import OpenRun, Site
    from bulk_export.state.records import RunRecord


def keep_rest(run: OpenRun) -> None:
    """Freeze the keys the quota did not reach, where the export's policy is to go on; done before publishing."""
    from bulk_export.selection import run_share

    share = run_share(run)
    if run.snapshot.export.on_quota_exceeded == "continue" and share.over_quota:
        run.staging.write_rest(run.staging.left_to_export().slice(share.granted, share.over_quota))
    else:
        run.staging.remove_rest()  # an earlier attempt's, of a day with less quota


def has_rest(run: OpenRun) -> bool:
    """Whether a published run left contacts that a follow-up run can export."""
    return run.record.published and run.staging.has_rest()


def follow_up_due(record: RunRecord) -> datetime:
    """When the rest can go on: the first instant of the quota day after the one the run was charged to, in UTC."""
    from bulk_export.quota import next_quota_day_starts

    if record.quota_day is None:
        raise ValueError(f"{record.run_id} has no quota day, so it has no rest")
    zone = RunSnapshot.model_validate_json(record.definitions).environment.time_zone
    return next_quota_day_starts(record.quota_day, zone)


def continued_snapshot(site: Site, request: RunRequest, licence: Licence) -> RunSnapshot:
    """The definitions of the run whose rest is to be exported, under today's licence.

    Raises:
        DefinitionError: RUN_UNKNOWN; or NOTHING_LEFT when that run left no rest, it has been exported or is being
            exported by another run, or it is another export's.
    """
    parent = _parent(site, request.continues_run_id)
    why = ""
    if not parent.definitions or not site.staging(parent.run_key).has_rest():
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


def take_rest(run: OpenRun) -> int:
    """Make the rest of the run that this one continues its own selection. Returns how many contacts that is."""
    keys = _parent_staging(run).read_rest()
    run.staging.write_table(KEYS, keys)
    return int(keys.num_rows)


def forget_rest(run: OpenRun) -> None:
    """Remove the rest that a run has taken over, once it has ended well."""
    if run.record.continues_run_id:
        _parent_staging(run).remove_rest()


def _at_work_on(site: Site, parent_run_id: str, run_id: str) -> str:
    """Which other run is exporting the rest just now; empty for none."""
    from bulk_export.state.runs import running_continuations

    return next((other for other in running_continuations(site.engine, parent_run_id) if other != run_id), "")


def _parent(site: Site, parent_run_id: str) -> RunRecord:
    from bulk_export.state.runs import find_run

    return find_run(site.engine, parent_run_id)


def _parent_staging(run: OpenRun) -> RunStaging:
    return run.site.staging(_parent(run.site, run.record.continues_run_id).run_key)
