"""Turn the export form into a change to a definition file."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from bulk_export.definitions.models import CsvOptions, SavedExport
from bulk_export_console.wording import schedule_kind

Short = Annotated[str, StringConstraints(max_length=300)]
When = Literal["now", "none", "weekly", "monthly", "cron"]


class ExportForm(BaseModel):
    """The export form as filled in.

    Whether it makes sense is for the definition's own model to say.

    `when` is `now` for an export that is sent at once and not saved, `none` for a saved one without schedule.
    """

    model_config = ConfigDict(extra="forbid")

    name: Short = ""
    description: Annotated[str, StringConstraints(max_length=2_000)] = ""
    search: Short = ""
    storage_location: Short = ""
    audio_video: Short = "none"
    audio_only: Short = "none"
    transcripts: Short = "none"
    when: When = "now"
    days: tuple[Short, ...] = ()
    day: int = 1
    time: Short = ""
    cron: Short = ""
    time_zone: Short = ""
    csv: Short = "standard"
    separator: Short = ""
    on_quota_exceeded: Short = "continue"
    incremental: bool = False
    enabled: bool = True

    def changes(self, now: datetime, present: SavedExport | None) -> dict[str, object]:
        """The new values of the file's keys.

        A key the form does not ask for is left alone.

        Args:
            now: dates a schedule that is new or edited: no run before it is ever made up for.
            present: the export as it stands; None for a new one.
        """
        media = {"audio_video": _chosen(self.audio_video), "audio_only": _chosen(self.audio_only)}
        found: dict[str, object] = {
            "name": self.name,
            "description": self.description.strip() or None,
            "search": self.search,
            "storage_location": self.storage_location,
            "media": media if any(media.values()) else None,
            "transcripts": self.transcripts,
            "schedule": self._schedule(),
            "on_quota_exceeded": None if self.on_quota_exceeded == "continue" else self.on_quota_exceeded,
            "incremental": self.incremental or None,
            "enabled": None if self.enabled else False,
        }
        found |= self._csv(present.csv if present else CsvOptions())
        if self.when in {"none", "now"}:
            found["effective_from"] = None
        elif present is None or self._differs(present):
            found["effective_from"] = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        return found

    def _csv(self, present: CsvOptions) -> dict[str, object]:
        """The key `csv`, where it changes: a word where the profile is all there is to say."""
        wanted = {"profile": self.csv, "separator": self.separator or None}
        if wanted == present.model_dump(include=set(wanted)):
            return {}
        if self.separator or present != CsvOptions(profile=present.profile, separator=present.separator):
            return {"csv": wanted}
        return {"csv": None if self.csv == "standard" else self.csv}

    def _schedule(self) -> dict[str, object] | None:
        kinds: dict[str, object] = {
            "weekly": {"days": list(self.days), "time": self.time},
            "monthly": {"day": self.day, "time": self.time},
            "cron": self.cron,
        }
        if self.when not in kinds:
            return None
        return {kind: value if kind == self.when else None for kind, value in kinds.items()} | {
            "time_zone": self.time_zone
        }

    def _differs(self, present: SavedExport) -> bool:
        return self.model_dump(include=_TIMING) != form_of(present).model_dump(include=_TIMING)


_TIMING = {"when", "days", "day", "time", "cron", "time_zone"}


def _chosen(format: str) -> str | None:
    return None if format in {"", "none"} else format


def form_of(export: SavedExport) -> ExportForm:
    """The form, filled in with a saved export."""
    schedule = export.schedule
    kind = schedule_kind(export)
    timed = schedule and (schedule.weekly or schedule.monthly)
    return ExportForm(
        name=export.name,
        description=export.description,
        search=export.search,
        storage_location=export.storage_location,
        audio_video=export.media.audio_video or "none",
        audio_only=export.media.audio_only or "none",
        transcripts=export.transcripts,
        when=kind,
        days=tuple(schedule.weekly.days) if schedule and schedule.weekly else (),
        day=schedule.monthly.day if schedule and schedule.monthly else 1,
        time=timed.time if timed else "",
        cron=(schedule.cron or "") if schedule else "",
        time_zone=schedule.time_zone if schedule else "",
        csv=export.csv.profile,
        separator=export.csv.separator or "",
        on_quota_exceeded=export.on_quota_exceeded,
        incremental=export.incremental,
        enabled=export.enabled,
    )


class Edit(BaseModel):
    """A form, with the version of the file it edits."""

    model_config = ConfigDict(extra="forbid")

    form: ExportForm
    seen: Short


class Deletion(BaseModel):
    """The version of a file that somebody deletes."""

    model_config = ConfigDict(extra="forbid")

    seen: Short
