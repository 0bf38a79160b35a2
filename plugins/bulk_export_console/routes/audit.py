"""Show the audit: every run, newest first, and charts.

The same rows as CSV, and the progress of open runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from sqlalchemy import Engine
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, StreamingResponse

from bulk_export.quota import quota_day
from bulk_export.reasons import ItemStatus
from bulk_export.runs.progress import progress_of
from bulk_export.state.progress import stage_progress
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.reservations import usage
from bulk_export.state.runs import RunFilters, find_run, list_runs
from bulk_export.state.statistics import daily_figures, known_exports
from bulk_export_console import charts
from bulk_export_console.context import ConsoleContext, ContextDep
from bulk_export_console.language import language_of, translator
from bulk_export_console.rendering import Reader, page
from bulk_export_console.tables import csv_lines

router = APIRouter()

PAGE = 50
CHART_DAYS = 30
_DOWNLOAD_PAGE = 500
_MAX_POLLED = 100

Text = Annotated[str, Query(max_length=200)]
RunId = Annotated[str, Query(max_length=600)]  # a DAG's id and its run's


@router.get("/")
def start(request: Request) -> RedirectResponse:
    """The front page is the audit."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}/audit", status_code=307)


@router.get("/audit")
def audit(
    request: Request,
    context: ContextDep,
    status: Text = "",
    export: Text = "",
    who: Text = "",
    first: Text = "",
    last: Text = "",
    before: RunId = "",
) -> HTMLResponse:
    """One page of runs."""
    engine, zone = context.site.engine, context.settings.environment.time_zone
    filters = run_filters(status, export, who, first, last, zone)
    found = list_runs(engine, filters, limit=PAGE + 1, before=before or None)
    shown = found[:PAGE]
    return page(
        request,
        "audit.html",
        zone=zone,
        runs=shown,
        progress=_progress(engine, shown),
        older=shown[-1].run_id if len(found) > PAGE else "",
        paged=bool(before),
        filters={"status": status, "export": export, "who": who, "first": first, "last": last},
        exports=known_exports(engine),
        statuses=list(RunStatus),
        licence=context.settings.licence.type,
        charts=_charts(request, context, engine, zone),
    )


def run_filters(status: str, export: str, who: str, first: str, last: str, zone: str) -> RunFilters:
    """The filters of the form.

    An unreadable value filters nothing. Days are the environment's.
    """

    def start(text: str, days: int) -> datetime | None:
        try:
            day = date.fromisoformat(text) + timedelta(days=days)
        except (ValueError, OverflowError):
            return None
        return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))

    return RunFilters(
        export_id=export or None,
        statuses=frozenset({RunStatus(status)}) if status in set(RunStatus) else frozenset(),
        triggered_by=who.strip() or None,
        queued_from=start(first, 0),
        queued_before=start(last, 1),
    )


def _progress(engine: Engine, runs: list[RunRecord]) -> dict[str, object]:
    running = [run for run in runs if run.status is RunStatus.RUNNING]
    stages = stage_progress(engine, [run.run_id for run in running]) if running else {}
    return {run.run_id: progress_of(run, stages[run.run_id]) for run in running}


def _charts(request: Request, context: ConsoleContext, engine: Engine, zone: str) -> charts.Charts:
    language = language_of(request)
    today = quota_day(context.now(), zone)
    figures = daily_figures(engine, last=today, days=CHART_DAYS, zone=zone)
    used = usage(engine, context.settings.environment.name, today)
    limit = context.settings.licence.contacts_per_day
    return charts.charts(figures, used, limit, translator(language), Reader(language, zone))


@router.get("/audit/progress")
def progress(context: ContextDep, run: Annotated[list[str], Query(max_length=_MAX_POLLED)]) -> JSONResponse:
    """The progress of runs by run key, asked every two seconds."""
    engine = context.site.engine
    records = [find_run(engine, key) for key in run]
    stages = stage_progress(engine, [record.run_id for record in records])
    found = {record.run_key: progress_of(record, stages[record.run_id]) for record in records}
    return JSONResponse(
        {key: {"status": one.status, "percent": one.percent, "stages": dict(one.stages)} for key, one in found.items()}
    )


@router.get("/audit.csv")
def download(
    context: ContextDep, status: Text = "", export: Text = "", who: Text = "", first: Text = "", last: Text = ""
) -> StreamingResponse:
    """Every run that fits the filters."""
    engine, zone = context.site.engine, context.settings.environment.time_zone
    filters = run_filters(status, export, who, first, last, zone)
    return StreamingResponse(
        csv_lines(_HEADERS, _rows(engine, filters)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="bulk-export-audit.csv"'},
    )


_HEADERS = [
    "run_id",
    "export_id",
    "export_name",
    "status",
    "trigger",
    "triggered_by",
    "queued_at",
    "started_at",
    "ended_at",
    "matched",
    "granted",
    "exported",
    "masked",
    "faulty",
    "deferred",
    "already_delivered",
    "media_files",
    "media_bytes",
    "transcript_files",
    "transcript_bytes",
    "quota_day",
    "quota_used",
    "destination",
    "directory",
    "error_code",
    "error_message",
    "manifest_sha256",
]


def _rows(engine: Engine, filters: RunFilters) -> Iterator[list[object]]:
    before = None
    while found := list_runs(engine, filters, limit=_DOWNLOAD_PAGE, before=before):
        for run in found:
            yield [
                *(run.run_id, run.export_id, run.export_name, run.status, run.trigger, run.triggered_by),
                *(run.queued_at, run.started_at, run.ended_at, run.matched, run.granted, run.exported, run.masked),
                *(run.by_status.get(key, 0) for key in (ItemStatus.FAULTY, ItemStatus.DEFERRED)),
                run.by_status.get(ItemStatus.ALREADY_DELIVERED, 0),
                *(run.media_files, run.media_bytes, run.transcript_files, run.transcript_bytes, run.quota_day),
                *(run.quota_used, run.destination_uri, run.directory, run.error_code, run.error_message),
                run.manifest_sha256,
            ]
        before = found[-1].run_id
