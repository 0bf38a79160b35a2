"""Build the app that Airflow mounts below /bulk-export.

The guard comes first, then the routes; headers and error responses are the same for all.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles

from bulk_export.errors import BulkExportError, RefusedError, TransientError
from bulk_export_console.access import guard
from bulk_export_console.pages import PAGES, navigation, routers
from bulk_export_console.rendering import page

log = logging.getLogger(__name__)

# Nothing inline, nothing from elsewhere, shown in no frame but Airflow's own.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    ]
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
}

_STATUS_BY_CODE = {
    "RUN_UNKNOWN": HTTPStatus.NOT_FOUND,
    "DEFINITION_UNKNOWN": HTTPStatus.NOT_FOUND,
    "EDIT_UNSEEN": HTTPStatus.CONFLICT,
    "ALREADY_EXISTS": HTTPStatus.CONFLICT,
    "RUN_ACTIVE": HTTPStatus.CONFLICT,
    "IN_USE": HTTPStatus.CONFLICT,
    "PREVIEW_LIMIT": HTTPStatus.TOO_MANY_REQUESTS,
}


def create_app() -> FastAPI:
    """The app, with every route behind the guard.

    Only style sheets, scripts and icons are public.
    """
    app = FastAPI(
        title="Bulk Contact Export",
        dependencies=[Depends(guard), Depends(_possible_address)],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    for router in routers(PAGES):
        app.include_router(router)
    app.state.navigation = navigation(PAGES)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    app.middleware("http")(_with_headers)
    app.exception_handler(BulkExportError)(_known_error)
    app.exception_handler(HTTPException)(_http_error)
    app.exception_handler(RequestValidationError)(_invalid_request)
    app.exception_handler(Exception)(_unknown_error)
    return app


def _possible_address(request: Request) -> None:
    """Refuse U+0000 in an address: no file's name has it, and PostgreSQL takes it in no text."""
    if "\0" in request.scope["path"]:
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
    if any("\0" in text for pair in request.query_params.multi_items() for text in pair):
        raise HTTPException(HTTPStatus.UNPROCESSABLE_ENTITY, "A parameter has the character U+0000.")


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    for name, value in HEADERS.items():
        response.headers[name] = value
    # Pages hold what only their reader may see; scripts are asked for again only when they have changed.
    response.headers["Cache-Control"] = "no-cache" if "/static/" in request.scope["path"] else "no-store"
    return response


def status_of(error: BulkExportError) -> HTTPStatus:
    """The HTTP status of a known error."""
    if error.code in _STATUS_BY_CODE:
        return _STATUS_BY_CODE[error.code]
    if isinstance(error, RefusedError):
        return HTTPStatus.FORBIDDEN
    return HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, TransientError) else HTTPStatus.UNPROCESSABLE_ENTITY


def _known_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, BulkExportError)
    problems = [str(problem) for problem in error.problems]
    return _error_response(request, status_of(error), error.code, error.message, error.hint, problems, error)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    return _error_response(request, status, status.name, str(error.detail), "", [], None)


def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # What was sent is not repeated: it may be a filter on a name or a number.
    wrong = [f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in error.errors()]
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return _error_response(request, status, "REQUEST_INVALID", "The request cannot be understood.", "", wrong, None)


def _unknown_error(request: Request, error: Exception) -> Response:
    number = secrets.token_hex(4)
    log.error("Error %s of the Exports pages, %s %s", number, request.method, request.url.path, exc_info=error)
    words = f"Something unforeseen went wrong. The API server's log has it under {number}."
    return _error_response(request, HTTPStatus.INTERNAL_SERVER_ERROR, "INTERNAL_ERROR", words, "", [], None)


def _error_response(
    request: Request,
    status: HTTPStatus,
    code: str,
    message: str,
    hint: str,
    problems: list[str],
    error: BulkExportError | None,
) -> Response:
    """An error: a page for readers, JSON for scripts."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return page(
            request,
            "error.html",
            status_code=status,
            status=status,
            code=code,
            message=message,
            hint=hint,
            problems=problems,
        )
    answer: dict[str, object] = {"code": code, "message": message, "hint": hint, "problems": problems}
    # The file's text and what would be written, where an edit has not been seen.
    answer |= getattr(error, "versions", {})
    return JSONResponse(answer, status_code=status)
