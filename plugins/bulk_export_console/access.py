"""Decide who may use the pages.

Whoever is signed in, allowed by Airflow's own permissions, and not sent here by another site.

Airflow does not authenticate plugin apps, so `guard` stands in front of the whole app. Reading needs the permission
on the custom view `Bulk Contact Export`; everything that is not a GET also needs the right to edit DAGs, because a
saved export is one. (Airflow's SimpleAuthManager lets every role pass a custom view, whatever the method.)
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, HTTPException, Request, status

from bulk_export.errors import BulkExportError
from bulk_export.state.events import append_event
from bulk_export_console.context import ConsoleContext, get_context

PERMISSION = "Bulk Contact Export"
_READING = frozenset({"GET", "HEAD"})
_SUBJECT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks.

    Attributes:
        name: user name, for the event log.
        may_change: whether they may create, edit, preview and delete.
    """

    name: str
    may_change: bool


def guard(request: Request, user: GetUserDep, context: Annotated[ConsoleContext, Depends(get_context)]) -> Visitor:
    """Let a request through, or refuse it and log that.

    Raises:
        HTTPException: 401 when nobody is signed in (by Airflow's own dependency), 403 without permission or when the
            request comes from another site, 415 when a change is not JSON.
    """
    manager: Any = get_auth_manager()
    may_view = bool(manager.is_authorized_custom_view(method="GET", resource_name=PERMISSION, user=user))
    visitor = Visitor(user.get_name(), may_view and bool(manager.is_authorized_dag(method="PUT", user=user)))
    changing = request.method not in _READING
    if not may_view:
        _refuse(request, context, visitor, "no permission to see bulk contact exports")
    if changing and not visitor.may_change:
        _refuse(request, context, visitor, "no permission to change bulk contact exports")
    if changing and (foreign := foreign_origin(request.headers, context.base_url)):
        _refuse(request, context, visitor, foreign)
    if changing and request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        # A form of another site can send text/plain or a form's types, but never this one without being asked first.
        raise HTTPException(status.HTTP_415_UNSUPPORTED_MEDIA_TYPE, "a change has to be sent as application/json")
    request.state.visitor = visitor
    return visitor


def foreign_origin(headers: Mapping[str, str], base_url: str) -> str:
    """Why a request is another site's doing; empty when it is not.

    Args:
        headers: of the request.
        base_url: Airflow's own address, which counts behind a proxy that changes the Host header.
    """
    site = headers.get("sec-fetch-site", "same-origin")
    if site != "same-origin":
        return f"the request was sent by another site ({site})"
    origin = headers.get("origin")
    own = {headers.get("host", ""), urlsplit(base_url).netloc}
    if origin is not None and urlsplit(origin).netloc not in own - {""}:
        return "the request was sent by a page of another origin"
    return ""


def _refuse(request: Request, context: ConsoleContext, visitor: Visitor, why: str) -> None:
    subject = f"{request.method} {request.url.path}"[:_SUBJECT_CHARS]
    # Refusing must work even while the settings, and with them the state database, do not.
    with suppress(BulkExportError):
        append_event(context.site.engine, visitor.name, "refused", subject, why, context.now())
    raise HTTPException(status.HTTP_403_FORBIDDEN, why)


def visitor_of(request: Request) -> Visitor:
    """Whoever `guard` let through."""
    visitor: Visitor = request.state.visitor
    return visitor


VisitorDep = Annotated[Visitor, Depends(visitor_of)]
