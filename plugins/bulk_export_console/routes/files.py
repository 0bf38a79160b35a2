"""List the files of a run's directory, as they are now."""

from __future__ import annotations

from itertools import dropwhile, islice
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from bulk_export.definitions.run import RunSnapshot
from bulk_export.state.records import RunRecord
from bulk_export.state.runs import find_run
from bulk_export.storage.base import Entry
from bulk_export_console.context import ConsoleContext, ContextDep
from bulk_export_console.rendering import page

router = APIRouter()

FILES = 200


@router.get("/runs/{key}/files")
def files(
    request: Request, context: ContextDep, key: str, after: Annotated[str, Query(max_length=2_000)] = ""
) -> HTMLResponse:
    """A page of the files, by name.

    None where nothing was delivered, or it has been taken away since.
    """
    record = find_run(context.site.engine, key)
    found = _listed(context, record, after)
    return page(
        request,
        "files.html",
        zone=context.settings.environment.time_zone,
        run=record,
        files=found[:FILES],
        after=after,
        more=found[FILES - 1].key if len(found) > FILES else "",
    )


def _listed(context: ConsoleContext, record: RunRecord, after: str) -> list[Entry]:
    """The next files, with keys relative to the run's directory.

    One more than a page where there are more.
    """
    if not record.directory or not record.definitions:
        return []
    folder = f"{record.directory}/"
    storage = context.site.destination(RunSnapshot.model_validate_json(record.definitions))
    entries = (Entry(entry.key.removeprefix(folder), entry.bytes) for entry in storage.list(folder))
    return list(islice(dropwhile(lambda entry: entry.key <= after, entries), FILES + 1))
