"""Saved exports: the list, the form of one, and what changes them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from zoneinfo import available_timezones

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse, JSONResponse

from bulk_export.definitions.loader import Definitions
from bulk_export.definitions.models import AUDIO_ONLY_FORMATS, AUDIO_VIDEO_FORMATS, WEEKDAYS, Schedule
from bulk_export.errors import DefinitionError, RefusedError
from bulk_export.schedules import next_runs
from bulk_export.state.events import append_event
from bulk_export.state.records import OPEN
from bulk_export.state.runs import RunFilters, list_runs
from bulk_export_console.access import Visitor, VisitorDep
from bulk_export_console.desk import Desk, DeskDep
from bulk_export_console.estimates import estimate
from bulk_export_console.forms import Deletion, Edit, ExportForm, form_of
from bulk_export_console.language import language_of
from bulk_export_console.rendering import Reader, page
from bulk_export_console.saved import export_row, export_rows, search_rows, upcoming

router = APIRouter()

UPCOMING = 5


@router.get("/exports")
def exports(request: Request, desk: DeskDep) -> HTMLResponse:
    """Every saved export with its next runs, and files that do not load."""
    definitions = desk.site.load()
    return page(
        request,
        "exports.html",
        zone=desk.settings.environment.time_zone,
        rows=export_rows(desk, definitions, desk.store),
        writable=desk.store.writable("exports"),
        folder=str(desk.site.definitions / "exports"),
    )


@router.get("/new")
def new(request: Request, desk: DeskDep, copy: str = "", search: str = "") -> HTMLResponse:
    """The form, empty or as a copy of a saved export."""
    definitions = desk.site.load()
    if copy in definitions.exports:
        form = form_of(definitions.exports[copy])
    else:
        form = ExportForm(when="now", audio_only="none", transcripts="json", search=search)
    if not form.time_zone:
        form = form.model_copy(update={"time_zone": desk.settings.environment.time_zone, "time": form.time or "02:30"})
    return _form_page(request, desk, definitions, form, row=None, source=None)


@router.get("/exports/{id}", name="edit_export")
def edit(request: Request, desk: DeskDep, id: str) -> HTMLResponse:
    """The form of a saved export; for a file that does not load, what is wrong with it."""
    source = desk.store.read("exports", id)
    definitions = desk.site.load()
    row = export_row(desk, definitions, id)
    form = form_of(row.export) if row.export else ExportForm()
    if not form.time_zone:
        form = form.model_copy(update={"time_zone": desk.settings.environment.time_zone, "time": "02:30"})
    return _form_page(request, desk, definitions, form, row=row, source=source)


def _form_page(
    request: Request, desk: Desk, definitions: Definitions, form: ExportForm, **content: Any
) -> HTMLResponse:
    export = content["row"].export if content["row"] else None
    return page(
        request,
        "export.html",
        zone=desk.settings.environment.time_zone,
        form=form,
        searches=search_rows(definitions, desk.store),
        locations={name: place.type for name, place in desk.settings.storage_locations.items()},
        audio_video_formats=AUDIO_VIDEO_FORMATS,
        audio_only_formats=AUDIO_ONLY_FORMATS,
        weekdays=WEEKDAYS,
        zones=sorted(available_timezones()),
        writable=desk.store.writable("exports"),
        upcoming=upcoming(desk, export, UPCOMING) if export else [],
        **content,
    )


@router.post("/exports/estimate")
def count(request: Request, desk: DeskDep, form: ExportForm) -> JSONResponse:
    """What the export would do now, and its next five times; nothing is created."""
    definitions = desk.site.load()
    answer: dict[str, Any] = {"next_runs": [], "problems": []}
    try:
        answer["next_runs"] = _next_runs(desk, form, language_of(request))
    except ValidationError as error:
        answer["problems"] += [str(detail["msg"]).removeprefix("Value error, ") for detail in error.errors()]
    search = definitions.searches.get(form.search)
    if search is None:
        return JSONResponse(answer)
    try:
        answer["matches"] = asdict(estimate(desk, search, form.on_quota_exceeded))
    except DefinitionError as error:
        answer["problems"] += [str(problem) for problem in error.problems] or [error.message]
    return JSONResponse(answer)


def _next_runs(desk: Desk, form: ExportForm, language: str) -> list[dict[str, str]]:
    wanted = form.changes(desk.now(), None)["schedule"]
    if not wanted:
        return []
    schedule = Schedule.model_validate(wanted)
    times = next_runs(schedule, desk.now(), UPCOMING)
    local, utc = Reader(language, schedule.time_zone), Reader(language, "UTC")
    return [{"local": local.moment(time), "utc": utc.moment(time)} for time in times]


@router.post("/exports", status_code=201)
def create(desk: DeskDep, visitor: VisitorDep, form: ExportForm) -> JSONResponse:
    """Save a new export and ask Airflow to make its DAG now."""
    _check_names(desk, form)
    id = desk.store.free_id("exports", form.name)
    saved = desk.store.save("exports", id, form.changes(desk.now(), None), seen=None)
    _told(desk, visitor, "created", id)
    return JSONResponse({"id": id, "dag_id": f"export-{id}", "etag": saved.etag}, status_code=201)


@router.put("/exports/{id}")
def save(desk: DeskDep, visitor: VisitorDep, id: str, edit: Edit) -> JSONResponse:
    """Change a saved export; 409 with both versions when it is not the one that was seen."""
    _check_names(desk, edit.form)
    present = desk.site.load(id).exports.get(id)
    saved = desk.store.save("exports", id, edit.form.changes(desk.now(), present), seen=edit.seen)
    _told(desk, visitor, "edited", id)
    return JSONResponse({"id": id, "dag_id": f"export-{id}", "etag": saved.etag})


@router.delete("/exports/{id}")
def delete(desk: DeskDep, visitor: VisitorDep, id: str, deletion: Deletion) -> JSONResponse:
    """Remove a saved export, unless a run of it is open: Airflow would drop its tasks, or never begin it."""
    desk.store.read("exports", id)
    if list_runs(desk.site.engine, RunFilters(export_id=id, statuses=OPEN), limit=1):
        raise RefusedError(
            "RUN_ACTIVE",
            "a run of this export is under way or queued",
            hint="Wait until it has ended, or mark the DAG run as failed: maintenance closes what never began.",
        )
    desk.store.delete("exports", id, seen=deletion.seen)
    _told(desk, visitor, "deleted", id)
    return JSONResponse({"id": id})


def _check_names(desk: Desk, form: ExportForm) -> None:
    """Refuse what the drop-downs would not have offered, before anything is written."""
    wrong = []
    if form.search not in desk.store.ids("searches"):
        wrong.append("search: choose a saved search")
    if form.storage_location not in desk.settings.storage_locations:
        wrong.append("storage_location: choose a storage location")
    if wrong:
        raise DefinitionError("DEFINITION_INVALID", "; ".join(wrong))


def _told(desk: Desk, visitor: Visitor, action: str, id: str) -> None:
    append_event(desk.site.engine, visitor.name, action, f"export {id}", "", desk.now())
    desk.request_refresh()
