"""Declare the record of a run.

What was asked, what happened, what it cost. Shapes only; `runs.py` keeps them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, TypeVar

from bulk_export.state.run_fields import RunField

RUN_KEY_LENGTH = 10

Parameter = str | int | float | bool | None


class RunStatus(StrEnum):
    """Status of a run.

    What each end means is the table in `audit/ending.py`.
    """

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_ERRORS = "COMPLETED_WITH_ERRORS"
    COMPLETED_EMPTY = "COMPLETED_EMPTY"
    CONTINUED = "CONTINUED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


OPEN = frozenset({RunStatus.QUEUED, RunStatus.RUNNING})
UNSUCCESSFUL = frozenset({RunStatus.FAILED, RunStatus.CANCELLED})


class Trigger(StrEnum):
    """What started a run."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    CONTINUATION = "continuation"
    BACKFILL = "backfill"
    CLI = "cli"


def run_key(run_id: str) -> str:
    """Ten hex digits that stand for a run in names.

    In directory and staging names; the same for every retry.
    """
    return hashlib.sha256(run_id.encode()).hexdigest()[:RUN_KEY_LENGTH]


# The columns of `runs`, what stages count and what programs read are derived from the two records (`run_fields.py`).
_Value = TypeVar("_Value")
Redefined = Annotated[_Value, RunField(redefined=True)]
Counted = Annotated[_Value, RunField(counted=True)]
Reset = Annotated[_Value, RunField(reset=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run as its record is opened.

    None of it changes afterwards.

    Attributes:
        run_id: unique text, such as `export-weekly-detractors/scheduled__2026-11-23T02:30:00+00:00` or `cli/<uuid>`.
        export_id: stem of the saved export's file.
        export_name: its name.
        version: hash of the definitions.
        trigger: what started the run.
        triggered_by: who; empty when nobody did (schedule).
        as_of: the run's logical time; relative dates count from it.
        window_from: start of a date range given for this run instead of the search's dates.
        window_to: its end, excluded.
        licence: licence type.
        definitions: settings, search and export as run, as JSON text.
        destination_name: the storage location's name.
        destination_uri: its address.
        directory: key prefix of the run's directory in the location.
        formats: what was asked for, such as `{"audio_video": "mp4", "transcripts": "json"}`.
        parameters: what the trigger form or command line gave.
        dag_id: the DAG; empty without Airflow.
        dag_run_id: its run.
        dag_run_url: where to see it.
        continues_run_id: the run whose rest this one exports.
        process: JSON text of the process that runs it (`process.py`), the last one that did; empty in Airflow.
        queued_at: when it was asked for; None means when the record is opened.
    """

    run_id: str
    export_id: str
    export_name: Redefined[str]
    version: Redefined[str]
    trigger: Trigger
    triggered_by: str = ""
    as_of: datetime
    window_from: Redefined[datetime | None] = None
    window_to: Redefined[datetime | None] = None
    licence: Redefined[str]
    definitions: Annotated[str, RunField(redefined=True, json_text=True)]
    destination_name: Redefined[str]
    destination_uri: Redefined[str]
    directory: Redefined[str]
    formats: Redefined[Mapping[str, str]] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    dag_id: str = ""
    dag_run_id: str = ""
    dag_run_url: str = ""
    continues_run_id: str = ""
    process: Annotated[str, RunField(json_text=True)] = ""
    queued_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord(NewRun):
    """A run as the audit shows it.

    What it was opened with, counts, quota and outcome. Times are aware UTC.

    Attributes:
        run_key: ten hex digits standing for the run in names.
        status: its status.
        queued_at: when it was asked for.
        started_at: when its first attempt began.
        ended_at: when it was closed; None while open.
        matched: contacts that met the filters, roots left out; None until counted.
        roots: root recordings left out.
        granted: contacts the quota allowed; None when it was not asked (yet), as in a dry run.
        exported: contacts delivered, masked ones included; the quota is charged with it.
        masked: recycled ones among them.
        by_status: matched contacts per `ItemStatus`.
        by_reason: those not delivered per deciding `Reason`, and beside them the delivered per `NOT_APPLICABLE` reason,
            of which one may have two.
        transcript_fixes: characters XML cannot hold that were replaced.
        cut_values: texts cut to their maximum in the CSV.
        long_cells: cells of the CSV that are longer than Excel takes.
        quota_day: the day charged.
        quota_limit: contacts per day when the reservation was made.
        quota_before: contacts of the day already used then, by other runs.
        quota_used: contacts of the day this run holds or was charged with.
        quota_after: contacts of the day used by all runs when this one was closed.
        error_code: first error that no retry has overcome; empty when there is none.
        error_message: what went wrong, where.
        error_hint: what to do about it.
        failed_stage: the stage it happened in.
        manifest_sha256: digest of the finished directory's tag manifest; empty while unpublished.
        published_at: when the directory was first finished.
        follow_up_run_id: the run queued for the rest; empty when there is none.
        dry_run_report: JSON text of a dry run's answer; empty for a real run.
        attempt: number of the attempt at the run: every beginning, publishing and closing begins another.
    """

    run_key: Annotated[str, RunField(max_length=RUN_KEY_LENGTH)]
    status: RunStatus
    queued_at: datetime
    started_at: datetime | None
    ended_at: Annotated[datetime | None, RunField(reset=True)] = None
    matched: Counted[int | None] = None
    roots: Counted[int] = 0
    granted: Annotated[int | None, RunField(reservation="granted")] = None
    exported: Counted[int] = 0
    masked: Counted[int] = 0
    by_status: Counted[Mapping[str, int]] = field(default_factory=dict)
    by_reason: Counted[Mapping[str, int]] = field(default_factory=dict)
    jobs: Counted[int] = 0
    media_files: Counted[int] = 0
    media_bytes: Counted[int] = 0
    transcript_files: Counted[int] = 0
    transcript_bytes: Counted[int] = 0
    transcript_fixes: Counted[int] = 0
    cut_values: Counted[int] = 0
    long_cells: Counted[int] = 0
    quota_day: Annotated[date | None, RunField(reservation="day")] = None
    quota_limit: Annotated[int | None, RunField(reservation="daily_limit")] = None
    quota_before: Annotated[int | None, RunField(reservation="used_before")] = None
    quota_used: Annotated[int | None, RunField(reservation="charged")] = None
    quota_after: int | None = None
    error_code: Reset[str] = ""
    error_message: Reset[str] = ""
    error_hint: Reset[str] = ""
    failed_stage: Reset[str] = ""
    manifest_sha256: str = ""
    published_at: datetime | None = None
    follow_up_run_id: str = ""
    dry_run_report: Annotated[str, RunField(counted=True, json_text=True)] = ""
    attempt: int = 0

    @property
    def published(self) -> bool:
        """Whether its directory is finished."""
        return bool(self.manifest_sha256)
