"""Saved searches and saved exports as typed records.

The administrator's settings are `settings.py`.

Shapes only. Reading files and naming every problem is `loader.py`; whether a filter is complete is
`filters/completeness.py`, because an incomplete filter must not keep a search from being saved.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic.config import JsonDict

from bulk_export.definitions.choices import OneOf
from bulk_export.definitions.dag_ids import dag_id_of
from bulk_export.definitions.values import (
    AwareTime,
    Cron,
    Identifier,
    Model,
    Text,
    TimeOfDay,
    Zone,
    none_word,
    profile_word,
)
from bulk_export.filters.limits import MAX_FILTERS
from bulk_export.filters.operators import OPERATORS
from bulk_export.formats.choices import NO_FORMAT, format_labels

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

AudioVideoFormat = Annotated[str, OneOf(lambda: format_labels("audio_video"))]
AudioOnlyFormat = Annotated[str, OneOf(lambda: format_labels("audio_only"))]
TranscriptFormat = Annotated[str, OneOf(lambda: [*format_labels("transcripts"), NO_FORMAT])]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CsvProfile = Literal["standard", "excel", "data"]


# --- searches/*.yaml -------------------------------------------------------------------------------------------


def _list_operators(schema: JsonDict) -> None:
    """Offer editors every operator there is; loading takes any text, so that an unknown one is a problem in words."""
    schema["enum"] = [*OPERATORS, None]


class Filter(Model):
    """One condition as written; anything may still be missing (see `filters/completeness.py`)."""

    field: str | None = Field(None, description="What to look at; see Filters.", examples=["started_at"])
    operator: str | None = Field(
        None,
        description="How to compare; see Filters.",
        examples=["last_days"],
        json_schema_extra=_list_operators,
    )
    value: Any = Field(None, description="What to compare with; its form depends on both.", examples=[7])
    time_zone: str | None = Field(
        None,
        description="Of dates: an IANA zone, or `contact` for each contact's own; without it the environment's.",
        examples=["contact"],
    )


class SavedSearch(Model):
    """A named set of filters; a contact must meet all.

    `id` is the file's stem.
    """

    id: Identifier
    name: Text = Field(description="What people call it.", examples=["Detractors of the last week"])
    description: str = Field("", description="For people.")
    # Loading takes any number, so that too many are a problem in words.
    filters: tuple[Filter, ...] = Field(
        (),
        description=f"Conditions; a run needs at least one and takes at most {MAX_FILTERS}.",
        json_schema_extra={"maxItems": MAX_FILTERS},
    )


# --- exports/*.yaml --------------------------------------------------------------------------------------------


class MediaFormats(Model):
    """Formats of media; none for no media.

    `audio_video` for contacts with screen, `audio_only` for the rest.
    """

    audio_video: Annotated[
        AudioVideoFormat | None, BeforeValidator(none_word, AudioVideoFormat | Literal["none"] | None)
    ] = Field(None, description="Format for contacts with a screen recording; `none` for none.", examples=["mp4"])
    audio_only: Annotated[
        AudioOnlyFormat | None, BeforeValidator(none_word, AudioOnlyFormat | Literal["none"] | None)
    ] = Field(
        None, description="Format for contacts without one, and for all when it is the only one.", examples=["wav"]
    )


class Weekly(Model):
    """One or more days and one time of day."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = Field(
        description="Days of the week.", examples=[["mon", "thu"]]
    )
    time: TimeOfDay = Field(description="Time of day, in quotes.", examples=["02:30"])


class Monthly(Model):
    """A day of the month and a time.

    The last day where a month is shorter.
    """

    day: Annotated[int, Field(ge=1, le=31)] = Field(description="Day of the month.", examples=[31])
    time: TimeOfDay = Field(description="Time of day, in quotes.", examples=["23:00"])


class Schedule(Model):
    """Exactly one of weekly, monthly or cron, in an IANA zone."""

    weekly: Weekly | None = Field(None, description="On days of the week.")
    monthly: Monthly | None = Field(None, description="On a day of the month.")
    cron: Cron | None = Field(None, description="Five fields, for engineers.", examples=["30 2 * * 1-5"])
    time_zone: Zone = Field(description="IANA zone of the times.", examples=["America/Bogota"])

    @model_validator(mode="after")
    def _exactly_one(self) -> Schedule:
        if sum(kind is not None for kind in (self.weekly, self.monthly, self.cron)) != 1:
            raise ValueError("give exactly one of weekly, monthly, cron")
        return self


class CsvOptions(Model):
    """How contacts.csv is written: profile, separator, language of Yes/No."""

    profile: CsvProfile = Field(
        "standard",
        description="`standard` for people, `excel` for Excel, `data` for programs; see the output format.",
        examples=["excel"],
    )
    language: Literal["en", "es"] = Field("en", description="Of Yes and No in cells.", examples=["es"])
    separator: Literal[",", ";"] | None = Field(
        None,
        description="Between cells; without it `,`, and in profile `excel` with `language: es` the `;` that a Spanish "
        "Excel takes.",
        examples=[";"],
    )
    metadata_parquet: bool = Field(False, description="Deliver contacts.parquet beside contacts.csv.", examples=[True])


class Notify(Model):
    """Whom to notify how a run ended."""

    email: tuple[Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = Field(
        (), description="Addresses that get a message.", examples=[["ops@acme.example"]]
    )
    webhook: Annotated[str, StringConstraints(pattern=r"^https?://")] | None = Field(
        None, description="Address that gets a JSON POST.", examples=["https://acme.example/hooks/exports"]
    )
    webhook_secret_connection: Text | None = Field(
        None, description="Airflow connection whose password signs the POST.", examples=["export_webhook"]
    )
    on: tuple[Literal["failure", "completion"], ...] = Field(
        ("failure", "completion"), description="Which ends are reported.", examples=[["failure"]]
    )


class SavedExport(Model):
    """An export definition: one file, one generated DAG.

    `id` is the file's stem.
    """

    id: Identifier
    name: Text = Field(
        description="What people call it; its directory is named after it.", examples=["Weekly detractors"]
    )
    search: Identifier = Field(description="Id of a saved search.", examples=["recent-detractors"])
    storage_location: Identifier = Field(description="Name of a storage location.", examples=["archive"])
    media: MediaFormats = Field(MediaFormats(), description="Which media, in which formats; without it none.")
    transcripts: Annotated[
        TranscriptFormat, BeforeValidator(lambda v: "none" if v is None else v, TranscriptFormat | None)
    ] = Field("none", description="Form of the transcripts.", examples=["json"])
    schedule: Schedule | None = Field(None, description="When it runs; without it only on demand.")
    effective_from: AwareTime | None = Field(
        None,
        description="No run for a time before it. The pages write it, `bulk-export validate --stamp` does for edits by "
        "hand.",
        examples=["2026-11-23T02:30:00Z"],
    )
    csv: Annotated[CsvOptions, BeforeValidator(profile_word, CsvOptions | CsvProfile)] = Field(
        CsvOptions(), description="How contacts.csv is written; `csv: excel` is short for its profile."
    )
    incremental: bool = Field(
        False, description="Deliver each contact once, and again when it changed.", examples=[True]
    )
    on_quota_exceeded: Literal["continue", "truncate", "fail"] = Field(
        "continue",
        description="`continue` exports the rest on the next quota days, `truncate` leaves it, `fail` exports nothing.",
        examples=["truncate"],
    )
    notify: Notify | None = Field(None, description="Whom to notify how a run ended.")
    owner: Text | None = Field(None, description="Owner of the DAG in Airflow.", examples=["records"])
    enabled: bool = Field(True, description="`false`: the DAG stays, its schedule does not run.", examples=[False])
    description: str = Field("", description="For people; the DAG's description.")

    @property
    def dag_id(self) -> str:
        """The id of its DAG.

        Made from the file's stem, never from the name, so that renaming keeps the history.
        """
        return dag_id_of(self.id)
