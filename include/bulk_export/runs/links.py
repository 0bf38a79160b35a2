"""Find the runs linked with a run.

What it continues or retries, and what continues or retries it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulk_export.errors import DefinitionError
from bulk_export.reasons import ItemStatus
from bulk_export.state.records import OPEN, RunRecord
from bulk_export.state.run_links import list_retries
from bulk_export.state.runs import find_run

if TYPE_CHECKING:
    from sqlalchemy import Engine

# The run parameter that names the run whose failed contacts are exported again.
RETRY_PARAMETER = "retry_failed_of"
_RETRIES_LISTED = 10


def can_be_retried(record: RunRecord) -> bool:
    """Whether it has ended with contacts it could not deliver."""
    return record.status not in OPEN and bool(record.by_status.get(ItemStatus.FAULTY))


def linked_runs(engine: Engine, record: RunRecord) -> dict[str, list[str]]:
    """Keys of the runs it belongs to, by kind of link.

    Kinds are `continues`, `follow_up`, `retries` and `retried`. An empty key means a run that has no record yet, as a
    follow-up that waits for tomorrow.
    """
    named = (
        ("continues", record.continues_run_id),
        ("follow_up", record.follow_up_run_id),
        ("retries", str(record.parameters.get(RETRY_PARAMETER) or "")),
    )
    found = {kind: [_key_of(engine, name)] for kind, name in named if name}
    if not can_be_retried(record):
        return found
    retried = list_retries(engine, record, parameter=RETRY_PARAMETER, limit=_RETRIES_LISTED)
    return found | ({"retried": retried} if retried else {})


def _key_of(engine: Engine, name: str) -> str:
    try:
        return find_run(engine, name).run_key
    except DefinitionError:  # RUN_UNKNOWN
        return ""
