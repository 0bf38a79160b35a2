"""Make the conf of a rerun or retry; find linked runs."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine, select

from bulk_export.definitions.dag_ids import IMMEDIATE_DAG_ID
from bulk_export.definitions.run import RunSnapshot
from bulk_export.errors import DefinitionError
from bulk_export.reasons import ItemStatus
from bulk_export.state.database import transaction
from bulk_export.state.records import OPEN, RunRecord
from bulk_export.state.runs import find_run
from bulk_export.state.tables import runs

RETRY = "retry_failed_of"
_RETRIES_SHOWN = 10


def rerun_conf(record: RunRecord) -> dict[str, object]:
    """The conf that runs the same again, with the definitions of then."""
    return _immediate(record) | {
        key: value for key, value in record.parameters.items() if key != "storage_location" or not _immediate(record)
    }


def can_be_retried(record: RunRecord) -> bool:
    """Whether it has ended with contacts it could not deliver."""
    return record.status not in OPEN and bool(record.by_status.get(ItemStatus.FAULTY))


def retry_conf(record: RunRecord) -> dict[str, object]:
    """The conf that exports exactly the contacts that failed.

    To the same place, without what else narrowed the run down.
    """
    place = {key: value for key, value in record.parameters.items() if key == "storage_location"}
    return place | _immediate(record) | {RETRY: record.run_key}


def _immediate(record: RunRecord) -> dict[str, object]:
    """The form of an immediate export; nothing for a saved one."""
    if record.dag_id != IMMEDIATE_DAG_ID or not record.definitions:
        return {}
    export = RunSnapshot.model_validate_json(record.definitions).export
    return {
        "name": export.name,
        "search": export.search,
        "storage_location": export.storage_location,
        "audio_video": export.media.audio_video or "none",
        "audio_only": export.media.audio_only or "none",
        "transcripts": export.transcripts,
    }


def linked_runs(engine: Engine, record: RunRecord) -> dict[str, list[str]]:
    """Keys of the runs it belongs to, by kind of link.

    Kinds are `continues`, `follow_up`, `retries` and `retried`. An empty key means a run that has no record yet, as a
    follow-up that waits for tomorrow.
    """
    named = (
        ("continues", record.continues_run_id),
        ("follow_up", record.follow_up_run_id),
        ("retries", str(record.parameters.get(RETRY) or "")),
    )
    found = {kind: [_key_of(engine, name)] for kind, name in named if name}
    if retried := list(_retried(engine, record)):
        found["retried"] = retried
    return found


def _key_of(engine: Engine, name: str) -> str:
    try:
        return find_run(engine, name).run_key
    except DefinitionError:
        return ""


def _retried(engine: Engine, record: RunRecord) -> Iterator[str]:
    """Keys of the runs that retried what failed in this one, newest first."""
    if not can_be_retried(record):
        return
    c = runs.c
    names = [record.run_id, record.run_key]
    statement = select(c.run_key).where(
        c.export_id == record.export_id, c.queued_at >= record.queued_at, c.parameters[RETRY].as_string().in_(names)
    )
    with transaction(engine, reading=True) as connection:
        yield from connection.scalars(statement.order_by(c.queued_at.desc()).limit(_RETRIES_SHOWN))
