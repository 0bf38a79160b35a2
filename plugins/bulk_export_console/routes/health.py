"""Show the installation's health: a page, or JSON for probes."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from bulk_export.errors import BulkExportError
from bulk_export_console.context import ConsoleContext, ContextDep
from bulk_export_console.health import Figure, Health
from bulk_export_console.rendering import page

router = APIRouter()


@router.get("/health")
def health(request: Request, context: ContextDep) -> Response:
    """200 when everything is healthy, 503 otherwise."""
    found = context.health.now(context.site, context.last_maintenance_success)
    status = HTTPStatus.OK if found.healthy else HTTPStatus.SERVICE_UNAVAILABLE
    if "text/html" in request.headers.get("accept", ""):
        return page(request, "health.html", zone=_zone(context), status_code=status, health=found)
    return JSONResponse(_as_json(found), status_code=status)


def _zone(context: ConsoleContext) -> str:
    try:
        return context.settings.environment.time_zone
    except BulkExportError:
        return "UTC"  # the page says that the settings do not load


def _as_json(found: Health) -> dict[str, object]:
    return {
        "healthy": found.healthy,
        "version": found.version,
        "at": _plain(found.at),
        "checks": [
            {"check": one.check, "name": one.name, "healthy": one.healthy, "code": one.code, "message": one.message}
            | {name: _plain(value) for name, value in one.figures.items()}
            for one in found.findings
        ],
    }


def _plain(value: Figure) -> int | str | None:
    return value if isinstance(value, int | str) or value is None else f"{value:%Y-%m-%dT%H:%M:%SZ}"
