"""The record of a run: what was asked, what happened, what it cost. Shapes only; `runs.py` keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TypedDict

RUN_KEY_LENGTH = 10

Parameter = str | int | float | bool | None


class RunStatus(StrEnum):
    """Where a run stands; what each end means is the table in `audit.final_status`."""

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
    """Ten hex digits that stand for a run in directory and staging names, the same for every retry."""
    return hashlib.sha256(run_id.encode()).hexdigest()[:RUN_KEY_LENGTH]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """What is known of a run when its record is opened; none of it changes afterwards.

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
        queued_at: when it was asked for; None means when the record is opened.
    """

    run_id: str
    export_id: str
    export_name: str
    version: str
    trigger: Trigger
    as_of: datetime
    licence: str
    definitions: str
    destination_name: str
    destination_uri: str
    directory: str
    formats: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    triggered_by: str = ""
    window_from: datetime | None = None
    window_to: datetime | None = None
    dag_id: str = ""
    dag_run_id: str = ""
    dag_run_url: str = ""
    continues_run_id: str = ""
    queued_at: datetime | None = None


class Counts(TypedDict, total=False):
    """What the stages find out, given as keywords to `runs.record_counts` in any portions.

    `matched`: contacts that met the filters, roots left out. `roots`: root recordings left out. `exported`: contacts
    delivered, masked ones included; the quota is charged with it. `masked`: recycled ones among them. `by_status`:
    matched contacts per `ItemStatus`. `by_reason`: those not delivered per deciding `Reason`, and beside them the
    delivered per `NOT_APPLICABLE` reason, of which one may have two. `cut_values`: texts cut to their maximum in the
    CSV. `transcript_fixes`: characters XML cannot hold that were replaced.
    """

    matched: int
    roots: int
    exported: int
    masked: int
    by_status: Mapping[str, int]
    by_reason: Mapping[str, int]
    jobs: int
    media_files: int
    media_bytes: int
    transcript_files: int
    transcript_bytes: int
    transcript_fixes: int
    cut_values: int
    dry_run_report: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """A run as the audit shows it: `NewRun`, `Counts`, quota and outcome. Times are aware UTC.

    Attributes:
        run_key: ten hex digits standing for the run in names.
        status: where it stands.
        queued_at: when it was asked for.
        started_at: when its first attempt began.
        ended_at: when it was closed; None while open.
        matched: None until counted.
        granted: contacts the quota allowed; None when it was not asked (yet), as in a dry run.
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
    """

    run_id: str
    run_key: str
    export_id: str
    export_name: str
    version: str
    trigger: Trigger
    triggered_by: str
    as_of: datetime
    window_from: datetime | None
    window_to: datetime | None
    licence: str
    definitions: str
    destination_name: str
    destination_uri: str
    directory: str
    formats: Mapping[str, str]
    parameters: Mapping[str, Parameter]
    status: RunStatus
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    matched: int | None
    roots: int
    granted: int | None
    exported: int
    masked: int
    by_status: Mapping[str, int]
    by_reason: Mapping[str, int]
    jobs: int
    media_files: int
    media_bytes: int
    transcript_files: int
    transcript_bytes: int
    transcript_fixes: int
    cut_values: int
    quota_day: date | None
    quota_limit: int | None
    quota_before: int | None
    quota_used: int | None
    quota_after: int | None
    error_code: str
    error_message: str
    error_hint: str
    failed_stage: str
    manifest_sha256: str
    published_at: datetime | None
    dag_id: str
    dag_run_id: str
    dag_run_url: str
    continues_run_id: str
    follow_up_run_id: str
    dry_run_report: str

    @property
    def published(self) -> bool:
        """Whether its directory is finished."""
        return bool(self.manifest_sha256)
