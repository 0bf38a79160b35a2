"""Show the tabs of a DAG and of a DAG run.

The tab of a DAG is its export's definition, that of a DAG run the page of the run.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.datastructures import URL
from starlette.responses import RedirectResponse, Response

from bulk_export.definitions.dag_ids import IMMEDIATE_DAG_ID, export_id_of
from bulk_export.definitions.run import IMMEDIATE
from bulk_export.errors import DefinitionError
from bulk_export.state.runs import find_run
from bulk_export_console.context import ContextDep
from bulk_export_console.rendering import page
from bulk_export_console.routes.runs import run_page

router = APIRouter()


def export_of(dag_id: str) -> str:
    """The export of a DAG; empty for other people's DAGs."""
    return IMMEDIATE if dag_id == IMMEDIATE_DAG_ID else export_id_of(dag_id) or ""


@router.get("/dag/{dag_id}")
def dag(request: Request, context: ContextDep, dag_id: str) -> Response:
    """The definition of an export, with its last run.

    The audit, for an export that is not saved, or not any more.
    """
    export = export_of(dag_id)
    if not export:
        return page(request, "other_dag.html")
    if export in context.store.ids("exports"):
        return _redirect(request.url_for("edit_export", id=export))
    return _redirect(request.url_for("audit").include_query_params(export=export))


def _redirect(url: URL) -> RedirectResponse:
    """To a page of this server, whatever host the request names."""
    return RedirectResponse(f"{url.path}?{url.query}" if url.query else url.path, status_code=307)


@router.get("/dag-run/{dag_id}/{dag_run_id:path}")
def dag_run(request: Request, context: ContextDep, dag_id: str, dag_run_id: str) -> Response:
    """The page of the run.

    A page that waits, until the run's first task has opened its record.
    """
    if not export_of(dag_id):
        return page(request, "other_dag.html")
    try:
        record = find_run(context.site.engine, f"{dag_id}/{dag_run_id}")
    except DefinitionError as error:
        if error.code != "RUN_UNKNOWN":
            raise
        return page(request, "waiting.html", dag_id=dag_id, dag_run_id=dag_run_id)
    return run_page(request, context, record)
