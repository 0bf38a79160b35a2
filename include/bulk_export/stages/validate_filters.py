"""Open the audit record of a run.

With its definitions frozen in it, or with the reason why it cannot run.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from bulk_export.definitions.loader import Definitions
from bulk_export.definitions.run import RunSnapshot
from bulk_export.definitions.safe_names import safe_name
from bulk_export.errors import BulkExportError, DefinitionError
from bulk_export.runs.follow_up import continued_snapshot
from bulk_export.runs.marker import settle_marker
from bulk_export.runs.request import RunRequest, licensed, requested_export, run_snapshot
from bulk_export.runs.retry import check_retried
from bulk_export.stages.stage import load_run, recorded
from bulk_export.state.events import append_event
from bulk_export.state.records import NewRun, RunRecord, Trigger, run_key
from bulk_export.state.run_errors import record_error
from bulk_export.state.runs import create_run
from bulk_export.storage.rights import check_writable

if TYPE_CHECKING:
    from bulk_export.site import Site


def validate_filters(site: Site, request: RunRequest) -> str:
    """Open the audit record, freeze the definitions, refuse what cannot run.

    Returns the run's id.
    """
    open_record(site, request)
    check_places(site, request.run_id)
    return request.run_id


def open_record(site: Site, request: RunRequest) -> RunRecord:
    """Open the record, or find the one an earlier attempt opened.

    A run that selected contacts before keeps the definitions it selected them with. One that was refused takes the
    definitions as they are now: somebody has fixed them and cleared the task.

    Raises:
        DefinitionError, RefusedError: as `requested_export` and `run_snapshot`; the record says the same.
    """
    definitions = site.load(None if request.immediate else request.export_id)
    definitions.require_settings()  # without them there is no state database to keep a record in
    now = site.clock()
    refused = _refused_run(definitions, request)
    earlier = _earlier_attempt(site, request.run_id)
    if earlier is None:
        who, what = request.triggered_by or request.trigger, f"export {refused.export_id}"
        append_event(site.engine, who, "triggered", what, f"run {request.run_id}", now)
    elif earlier.published:
        # Cleared and run again its directory stays as it is, whatever has become of its definitions.
        return create_run(site.engine, refused, now)
    try:
        snapshot = _snapshot(site, definitions, request)
        accepted = _accepted_run(refused, snapshot, site.destination(snapshot).uri, now)
        return create_run(site.engine, accepted, now, exclusive=snapshot.exclusive)
    except BulkExportError as error:
        create_run(site.engine, refused, now)
        record_error(site.engine, request.run_id, stage="validate_filters", error=error, now=now)
        raise


def _earlier_attempt(site: Site, run_id: str) -> RunRecord | None:
    """What there is of it, published where its directory is finished."""
    try:
        run = load_run(site, run_id)
    except DefinitionError:  # RUN_UNKNOWN: its first attempt
        return None
    return settle_marker(run).record


def _snapshot(site: Site, definitions: Definitions, request: RunRequest) -> RunSnapshot:
    if request.refusal is not None:
        raise request.refusal
    if request.continues_run_id:
        return continued_snapshot(site, request, licensed(definitions.require_settings()))
    export = requested_export(definitions, request)
    if request.parameters.retry_failed_of:
        check_retried(site, export.id, request.parameters.retry_failed_of)
    return run_snapshot(definitions, export, request)


def check_places(site: Site, run_id: str) -> None:
    """Check the contact store, the destination and the staging area.

    That the one can be exported from, and the others can be written.
    """
    run = load_run(site, run_id)
    if run.record.published:
        return
    with recorded(run, "validate_filters"):
        run.store.check()
        check_writable(run.staging.storage, reading=True)
        if not run.dry:
            check_writable(run.destination)


def _refused_run(definitions: Definitions, request: RunRequest) -> NewRun:
    """What is known of a run whatever its definitions look like."""
    export = request.immediate.as_export() if request.immediate else definitions.exports.get(request.export_id)
    return NewRun(
        run_id=request.run_id,
        export_id=export.id if export else request.export_id,
        export_name=export.name if export else request.export_id,
        version="",
        trigger=Trigger(request.trigger),
        triggered_by=request.triggered_by,
        as_of=request.as_of,
        licence=definitions.require_settings().licence.type,
        definitions="",
        destination_name=export.storage_location if export else "",
        destination_uri="",
        directory="",
        parameters=request.parameters.model_dump(mode="json", exclude_defaults=True),
        dag_id=request.dag_id,
        dag_run_id=request.dag_run_id,
        dag_run_url=request.dag_run_url,
        continues_run_id=request.continues_run_id,
        process=request.process,
        queued_at=request.queued_at,
    )


def _accepted_run(run: NewRun, snapshot: RunSnapshot, destination_uri: str, now: datetime) -> NewRun:
    """The same with what will be done, and where."""
    export = snapshot.export
    window_from, window_to = snapshot.window or (None, None)
    return replace(
        run,
        export_id=export.id,
        export_name=export.name,
        as_of=snapshot.as_of,
        window_from=window_from,
        window_to=window_to,
        version=snapshot.version,
        definitions=snapshot.model_dump_json(),
        destination_name=export.storage_location,
        destination_uri=destination_uri,
        directory=f"{safe_name(export.name, export.id)}/{now:%Y%m%dT%H%M%SZ}_{run_key(run.run_id)}",
        formats={
            "audio_video": export.media.audio_video or "none",
            "audio_only": export.media.audio_only or "none",
            "transcripts": export.transcripts,
            "csv": export.csv.profile,
        },
    )
