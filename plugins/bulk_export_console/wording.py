"""What codes are called on the pages, in English; templates translate them."""

from __future__ import annotations

from collections.abc import Mapping

from bulk_export.definitions.models import SavedExport, Schedule
from bulk_export.formats.choices import form_choices
from bulk_export.reasons import REASON_WORDS, ItemStatus
from bulk_export.stage_registry import STAGES, Phase
from bulk_export.state.records import RunStatus, Trigger

STATUSES: Mapping[RunStatus, str] = {
    RunStatus.QUEUED: "Queued",
    RunStatus.RUNNING: "Running",
    RunStatus.COMPLETED: "Completed",
    RunStatus.COMPLETED_WITH_ERRORS: "Completed with errors",
    RunStatus.COMPLETED_EMPTY: "Completed, nothing matched",
    RunStatus.CONTINUED: "Continued on the next day",
    RunStatus.FAILED: "Failed",
    RunStatus.CANCELLED: "Cancelled",
}

# How a status looks: Airflow's own state colours.
TONES: Mapping[RunStatus, str] = {
    RunStatus.QUEUED: "queued",
    RunStatus.RUNNING: "running",
    RunStatus.COMPLETED: "success",
    RunStatus.COMPLETED_WITH_ERRORS: "warning",
    RunStatus.COMPLETED_EMPTY: "none",
    RunStatus.CONTINUED: "deferred",
    RunStatus.FAILED: "failed",
    RunStatus.CANCELLED: "none",
}

TRIGGERS: Mapping[str, str] = {
    Trigger.SCHEDULE: "Schedule",
    Trigger.MANUAL: "Started by hand",
    Trigger.CONTINUATION: "Continuation",
    Trigger.BACKFILL: "Backfill",
    Trigger.CLI: "Command line",
}

ITEM_STATUSES: Mapping[str, str] = {
    ItemStatus.DELIVERED: "Delivered",
    ItemStatus.MASKED: "Masked",
    ItemStatus.FAULTY: "Faulty",
    ItemStatus.DEFERRED: "Deferred",
    ItemStatus.ALREADY_DELIVERED: "Already delivered",
}

CHECKS: Mapping[str, str] = {
    "state": "State database",
    "definitions": "Definitions",
    "contact_store": "Contact store",
    "storage": "Storage",
    "runs": "Runs",
    "quota": "Quota",
    "maintenance": "Maintenance DAG",
}

LICENCES: Mapping[str, str] = {
    "standard": "Standard licence",
    "performance": "Performance licence",
}

CSV_PROFILES: Mapping[str, str] = {
    "standard": "Standard",
    "excel": "Excel",
    "data": "Data",
}

SEPARATORS: Mapping[str, str] = {"": "Of the profile", ",": "Comma", ";": "Semicolon"}

FORMAT_KINDS: Mapping[str, str] = {
    "audio_video": "Audio/Video Formats",
    "audio_only": "Audio Only Format",
    "transcripts": "Transcript Output Format",
    "csv": "CSV",
}

WEEKDAYS: Mapping[str, str] = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}

OVER_QUOTA: Mapping[str, str] = {
    "continue": "Continue on the next day until everything is exported",
    "truncate": "Export what fits and report the rest",
    "fail": "Export nothing",
}

REASONS: Mapping[str, str] = {str(reason): words for reason, words in REASON_WORDS.items()}


def stage_labels() -> dict[str, str]:
    """Labels of the stages that show progress, by stage."""
    return {stage.name: stage.label or stage.name for stage in STAGES.of(Phase.DELIVER)}


def format_label(kind: str, format: str) -> str:
    """What a run's format is called.

    The format itself where nobody has registered it any more.
    """
    labels = CSV_PROFILES if kind == "csv" else form_choices(kind)
    return labels.get(format, format)


def schedule_kind(export: SavedExport) -> str:
    """`weekly`, `monthly`, `cron`; `none` for an export run on demand only."""
    schedule: Schedule | None = export.schedule
    if schedule is None:
        return "none"
    return next(kind for kind in ("weekly", "monthly", "cron") if getattr(schedule, kind) is not None)
