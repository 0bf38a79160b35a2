"""Make the conf of a rerun or a retry."""

from __future__ import annotations

from bulk_export.definitions.dag_ids import IMMEDIATE_DAG_ID
from bulk_export.definitions.run import RunSnapshot
from bulk_export.runs.links import RETRY_PARAMETER
from bulk_export.state.records import RunRecord


def rerun_conf(record: RunRecord) -> dict[str, object]:
    """The conf that runs the same again, with the definitions of then."""
    return _immediate(record) | {
        key: value for key, value in record.parameters.items() if key != "storage_location" or not _immediate(record)
    }


def retry_conf(record: RunRecord) -> dict[str, object]:
    """The conf that exports exactly the contacts that failed.

    To the same place, without what else narrowed the run down.
    """
    place = {key: value for key, value in record.parameters.items() if key == "storage_location"}
    return place | _immediate(record) | {RETRY_PARAMETER: record.run_key}


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
