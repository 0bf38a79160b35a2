"""Show a run: request, counts, quota and contacts with problems.

Those contacts come as pages and as CSV.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy import Engine
from starlette.responses import HTMLResponse, StreamingResponse

from bulk_export.audit.figures import notes, outcomes
from bulk_export.definitions.dag_ids import IMMEDIATE_DAG_ID
from bulk_export.definitions.run import RunSnapshot
from bulk_export.reasons import NOT_APPLICABLE, ItemStatus, Reason
from bulk_export.runs.links import RETRY_PARAMETER, can_be_retried, linked_runs
from bulk_export.runs.progress import progress_of
from bulk_export.state.items import Item, list_items
from bulk_export.state.progress import stage_progress
from bulk_export.state.records import OPEN, RunRecord
from bulk_export.state.runs import find_run
from bulk_export_console.context import ConsoleContext, ContextDep
from bulk_export_console.rendering import page
from bulk_export_console.rerun import rerun_conf, retry_conf
from bulk_export_console.tables import csv_lines

router = APIRouter()

ITEMS = 100
_DOWNLOAD_PAGE = 5_000

Choice = Annotated[str, Query(max_length=40)]


@router.get("/runs/{key}")
def run(
    request: Request, context: ContextDep, key: str, status: Choice = "", reason: Choice = "", after: int | None = None
) -> HTMLResponse:
    """The page of a run; `key` is its ten digits."""
    engine = context.site.engine
    record = find_run(engine, key)
    return run_page(request, context, record, status=status, reason=reason, after=after)


def run_page(
    request: Request,
    context: ConsoleContext,
    record: RunRecord,
    *,
    status: str = "",
    reason: str = "",
    after: int | None = None,
) -> HTMLResponse:
    """The page, for a record that was found."""
    engine = context.site.engine
    items = _items(engine, record.run_id, status, reason, limit=ITEMS + 1, after=after)
    rerun_dag = record.dag_id if _dag_exists(context, record) else ""
    return page(
        request,
        "run.html",
        zone=context.settings.environment.time_zone,
        run=record,
        progress=progress_of(record, stage_progress(engine, [record.run_id])[record.run_id]),
        under_way=record.status in OPEN,
        figures=outcomes(record),
        notes=notes(record),
        items=items[:ITEMS],
        more=items[ITEMS - 1].contact_id if len(items) > ITEMS else None,
        filters={"status": status, "reason": reason},
        item_statuses=[one for one in ItemStatus if one is not ItemStatus.DELIVERED],
        item_reasons=[one for one in Reason if one not in NOT_APPLICABLE and record.by_reason.get(one)],
        definitions=_as_yaml(record),
        rerun_dag=rerun_dag,
        rerun=json.dumps(rerun_conf(record)),
        retry=json.dumps(retry_conf(record)) if rerun_dag and can_be_retried(record) else "",
        linked=linked_runs(engine, record),
        parameters={name: value for name, value in record.parameters.items() if name != RETRY_PARAMETER},
    )


def _dag_exists(context: ConsoleContext, record: RunRecord) -> bool:
    """Whether the run's DAG still exists.

    That of a saved export goes with its file.
    """
    return record.dag_id == IMMEDIATE_DAG_ID or record.export_id in context.site.load(record.export_id).exports


def _as_yaml(record: RunRecord) -> str:
    return RunSnapshot.model_validate_json(record.definitions).as_yaml() if record.definitions else ""


def _items(engine: Engine, run_id: str, status: str, reason: str, *, limit: int, after: int | None) -> list[Item]:
    return list_items(
        engine,
        run_id,
        limit=limit,
        after=after,
        status=ItemStatus(status) if status in set(ItemStatus) else None,
        reason=Reason(reason) if reason in set(Reason) else None,
    )


@router.get("/runs/{key}/items.csv")
def items(context: ContextDep, key: str, status: Choice = "", reason: Choice = "") -> StreamingResponse:
    """Every contact of a run that has problems, as CSV."""
    engine = context.site.engine
    record = find_run(engine, key)
    return StreamingResponse(
        csv_lines(("contact_id", "status", "reason", "detail"), _rows(engine, record.run_id, status, reason)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="items-{record.run_key}.csv"'},
    )


def _rows(engine: Engine, run_id: str, status: str, reason: str) -> Iterator[list[object]]:
    after = None
    while found := _items(engine, run_id, status, reason, limit=_DOWNLOAD_PAGE, after=after):
        for item in found:
            yield [item.contact_id, str(item.status), str(item.reason or ""), item.detail]
        after = found[-1].contact_id
