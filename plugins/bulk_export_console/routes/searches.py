"""Show and change saved searches: list, builder, matches, preview."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse

from bulk_export.definitions.models import Filter
from bulk_export.errors import RefusedError
from bulk_export.filters.completeness import problems
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.filters.operators import OPERATORS
from bulk_export.state.events import append_event
from bulk_export_console.access import Visitor, VisitorDep
from bulk_export_console.context import ConsoleContext, ContextDep
from bulk_export_console.estimates import estimate
from bulk_export_console.filter_forms import FilterForm, SearchEdit, SearchForm, builder
from bulk_export_console.forms import Deletion
from bulk_export_console.language import language_of, translator
from bulk_export_console.previews import preview
from bulk_export_console.rendering import page
from bulk_export_console.saved import search_rows

router = APIRouter()


@router.get("/searches")
def searches(request: Request, context: ContextDep) -> HTMLResponse:
    """Every saved search, and files that do not load."""
    definitions = context.site.load()
    return page(
        request,
        "searches.html",
        zone=context.settings.environment.time_zone,
        rows=search_rows(definitions, context.store),
        writable=context.store.writable("searches"),
    )


@router.get("/searches/new")
def new(request: Request, context: ContextDep, copy: str = "") -> HTMLResponse:
    """The builder, with one filter to begin with or as a copy."""
    found = context.site.load().searches.get(copy)
    first = FilterForm(field="started_at", operator="last_days", value=7)
    filters = [_row(item) for item in found.filters] if found else [first.model_dump()]
    form = {"name": found.name if found else "", "description": found.description if found else "", "filters": filters}
    return _builder_page(request, context, form, row=None, source=None)


@router.get("/searches/{id}")
def edit(request: Request, context: ContextDep, id: str) -> HTMLResponse:
    """The builder of a saved search.

    For a file that does not load, what is wrong with it.
    """
    source = context.store.read("searches", id)
    row = next(row for row in search_rows(context.site.load(), context.store) if row.id == id)
    found = row.search
    filters = [_row(item) for item in found.filters] if found else []
    form = {"name": row.name, "description": found.description if found else "", "filters": filters}
    return _builder_page(request, context, form, row=row, source=source)


def _row(item: Filter) -> dict[str, Any]:
    return item.model_dump(mode="json")


def _builder_page(request: Request, context: ConsoleContext, form: dict[str, Any], **content: Any) -> HTMLResponse:
    _ = translator(language_of(request))
    fields = builder(field_catalog(context.settings.exportable_metadata))
    named = [field | {"name": _(field["name"]) if field["translated"] else field["name"]} for field in fields]
    return page(
        request,
        "search.html",
        zone=context.settings.environment.time_zone,
        form=form,
        fields=named,
        operators={operator.name: _(operator.label) for operator in OPERATORS.values()},
        writable=context.store.writable("searches"),
        **content,
    )


@router.post("/searches/check")
def check(context: ContextDep, form: SearchForm) -> JSONResponse:
    """What is incomplete; if nothing is, how many contacts match."""
    search = form.as_search()
    found = problems(search.filters, field_catalog(context.settings.exportable_metadata))
    answer: dict[str, Any] = {"problems": [{"index": one.index, "message": one.message} for one in found]}
    if not found:
        answer["matches"] = asdict(estimate(context, search, "continue"))
    return JSONResponse(answer)


@router.post("/searches/preview")
def show(request: Request, context: ContextDep, visitor: VisitorDep, form: SearchForm) -> JSONResponse:
    """The first contacts found.

    Each look is in the event log, and their number is limited.
    """
    wait = context.previews.wait(visitor.name)
    if wait:
        raise RefusedError(
            "PREVIEW_LIMIT", "too many previews within a minute", hint=f"Try again in {int(wait) + 1} seconds."
        )
    search = form.as_search()
    found = preview(context, search, language_of(request))
    # Fields and operators only: what somebody searches for may be a name or a number.
    filters = ", ".join(f"{item.field} {item.operator}" for item in search.filters)
    detail = f"{len(found.rows)} of {found.matches.contacts} contacts; filters: {filters}"[:1_000]
    append_event(context.site.engine, visitor.name, "previewed", "contacts", detail, context.now())
    return JSONResponse({"matched": found.matches.contacts, "columns": found.columns, "rows": found.rows})


@router.post("/searches", status_code=201)
def create(context: ContextDep, visitor: VisitorDep, form: SearchForm) -> JSONResponse:
    """Save a new search, also an incomplete one.

    Its exports say what is missing when they run.
    """
    id = context.store.free_id("searches", form.name)
    saved = context.store.save("searches", id, form.changes(), seen=None)
    _record_change(context, visitor, "created", id)
    return JSONResponse({"id": id, "etag": saved.etag}, status_code=201)


@router.put("/searches/{id}")
def save(context: ContextDep, visitor: VisitorDep, id: str, edit: SearchEdit) -> JSONResponse:
    """Change a saved search.

    409 with both versions when the file is not the one that was seen.
    """
    saved = context.store.save("searches", id, edit.form.changes(), seen=edit.seen)
    _record_change(context, visitor, "edited", id)
    return JSONResponse({"id": id, "etag": saved.etag})


@router.delete("/searches/{id}")
def delete(context: ContextDep, visitor: VisitorDep, id: str, deletion: Deletion) -> JSONResponse:
    """Delete a saved search that no export uses."""
    users = [export.id for export in context.site.load().exports.values() if export.search == id]
    if users:
        raise RefusedError(
            "IN_USE", f"saved exports use this search: {', '.join(users)}", hint="Change or delete them first."
        )
    context.store.delete("searches", id, seen=deletion.seen)
    _record_change(context, visitor, "deleted", id)
    return JSONResponse({"id": id})


def _record_change(context: ConsoleContext, visitor: Visitor, action: str, id: str) -> None:
    append_event(context.site.engine, visitor.name, action, f"search {id}", "", context.now())
    context.request_refresh()
