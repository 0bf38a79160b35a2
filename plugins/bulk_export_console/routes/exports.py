"""Saved exports: the list, the form of one, and what changes them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse, JSONResponse

from bulk_export.definitions.dag_ids import dag_id_of
from bulk_export.definitions.loader import Definitions
from bulk_export.definitions.models import WEEKDAYS, Schedule
from bulk_export.definitions.schedules import next_runs
from bulk_export.errors import DefinitionError, RefusedError
from bulk_export.formats.choices import form_choices
from bulk_export.state.events import append_event
from bulk_export.state.records import OPEN
from bulk_export.state.runs import RunFilters, list_runs
from bulk_export.time_zones import zone_names
from bulk_export_console.access import Visitor, VisitorDep
from bulk_export_console.context import ConsoleContext, ContextDep
from bulk_export_console.estimates import estimate
from bulk_export_console.forms import Deletion, Edit, ExportForm, form_of
from bulk_export_console.language import language_of
from bulk_export_console.rendering import Reader, page
from bulk_export_console.saved import export_row, export_rows, search_rows, upcoming

router = APIRouter()

UPCOMING = 5


@router.get("/exports")
def exports(request: Request, context: ContextDep) -> HTMLResponse:
    """Every saved export, and files that do not load."""
    definitions = context.site.load()
    return page(
        request,
        "exports.html",
        zone=context.settings.environment.time_zone,
        rows=export_rows(context, definitions, context.store),
        writable=context.store.writable("exports"),
        folder=str(context.site.definitions / "exports"),
    )


@router.get("/new")
def new(request: Request, context: ContextDep, copy: str = "", search: str = "") -> HTMLResponse:
    """The form, empty or as a copy of a saved export."""
    definitions = context.site.load()
    if copy in definitions.exports:
        form = form_of(definitions.exports[copy])
    else:
        form = ExportForm(when="now", audio_only="none", transcripts="json", search=search)
    if not form.time_zone:
        form = form.model_copy(
            update={"time_zone": context.settings.environment.time_zone, "time": form.time or "02:30"}
        )
    return _form_page(request, context, definitions, form, row=None, source=None)


@router.get("/exports/{id}", name="edit_export")
def edit(request: Request, context: ContextDep, id: str) -> HTMLResponse:
    """The form of a saved export.

    For a file that does not load, what is wrong with it.
    """
    source = context.store.read("exports", id)
    definitions = context.site.load()
    row = export_row(context, definitions, id)
    form = form_of(row.export) if row.export else ExportForm()
    if not form.time_zone:
        form = form.model_copy(update={"time_zone": context.settings.environment.time_zone, "time": "02:30"})
    return _form_page(request, context, definitions, form, row=row, source=source)


def _form_page(
    request: Request, context: ConsoleContext, definitions: Definitions, form: ExportForm, **content: Any
) -> HTMLResponse:
    export = content["row"].export if content["row"] else None
    return page(
        request,
        "export.html",
        zone=context.settings.environment.time_zone,
        form=form,
        searches=search_rows(definitions, context.store),
        locations={name: place.type for name, place in context.settings.storage_locations.items()},
        format_choices={asked: form_choices(asked) for asked in ("audio_video", "audio_only", "transcripts")},
        weekdays=WEEKDAYS,
        zones=sorted(zone_names()),
        writable=context.store.writable("exports"),
        upcoming=upcoming(context, export, UPCOMING) if export else [],
        **content,
    )


@router.post("/exports/estimate")
def count(request: Request, context: ContextDep, form: ExportForm) -> JSONResponse:
    """What the export would do now, and its next five runs."""
    definitions = context.site.load()
    answer: dict[str, Any] = {"next_runs": [], "problems": []}
    try:
        answer["next_runs"] = _next_runs(context, form, language_of(request))
    except ValidationError as error:
        answer["problems"] += [str(detail["msg"]).removeprefix("Value error, ") for detail in error.errors()]
    search = definitions.searches.get(form.search)
    if search is None:
        return JSONResponse(answer)
    try:
        answer["matches"] = asdict(estimate(context, search, form.on_quota_exceeded))
    except DefinitionError as error:
        answer["problems"] += [str(problem) for problem in error.problems] or [error.message]
    return JSONResponse(answer)


def _next_runs(context: ConsoleContext, form: ExportForm, language: str) -> list[dict[str, str]]:
    wanted = form.changes(context.now(), None)["schedule"]
    if not wanted:
        return []
    schedule = Schedule.model_validate(wanted)
    times = next_runs(schedule, context.now(), UPCOMING)
    local, utc = Reader(language, schedule.time_zone), Reader(language, "UTC")
    return [{"local": local.moment(time), "utc": utc.moment(time)} for time in times]


@router.post("/exports", status_code=201)
def create(context: ContextDep, visitor: VisitorDep, form: ExportForm) -> JSONResponse:
    """Save a new export and ask Airflow to make its DAG now."""
    _check_names(context, form)
    id = context.store.free_id("exports", form.name)
    saved = context.store.save("exports", id, form.changes(context.now(), None), seen=None)
    _record_change(context, visitor, "created", id)
    return JSONResponse({"id": id, "dag_id": dag_id_of(id), "etag": saved.etag}, status_code=201)


@router.put("/exports/{id}")
def save(context: ContextDep, visitor: VisitorDep, id: str, edit: Edit) -> JSONResponse:
    """Change a saved export.

    409 with both versions when the file is not the one that was seen.
    """
    _check_names(context, edit.form)
    present = context.site.load(id).exports.get(id)
    saved = context.store.save("exports", id, edit.form.changes(context.now(), present), seen=edit.seen)
    _record_change(context, visitor, "edited", id)
    return JSONResponse({"id": id, "dag_id": dag_id_of(id), "etag": saved.etag})


@router.delete("/exports/{id}")
def delete(context: ContextDep, visitor: VisitorDep, id: str, deletion: Deletion) -> JSONResponse:
    """Delete a saved export, unless a run of it is open.

    Airflow would drop the run's tasks, or never begin it.
    """
    context.store.read("exports", id)
    if list_runs(context.site.engine, RunFilters(export_id=id, statuses=OPEN), limit=1):
        raise RefusedError(
            "RUN_ACTIVE",
            "a run of this export is under way or queued",
            hint="Wait until it has ended, or mark the DAG run as failed: maintenance closes what never began.",
        )
    context.store.delete("exports", id, seen=deletion.seen)
    _record_change(context, visitor, "deleted", id)
    return JSONResponse({"id": id})


def _check_names(context: ConsoleContext, form: ExportForm) -> None:
    """Refuse what the drop-downs would not have offered, before anything is written."""
    wrong = []
    if form.search not in context.store.ids("searches"):
        wrong.append("search: choose a saved search")
    if form.storage_location not in context.settings.storage_locations:
        wrong.append("storage_location: choose a storage location")
    if wrong:
        raise DefinitionError("DEFINITION_INVALID", "; ".join(wrong))


def _record_change(context: ConsoleContext, visitor: Visitor, action: str, id: str) -> None:
    append_event(context.site.engine, visitor.name, action, f"export {id}", "", context.now())
    context.request_refresh()
