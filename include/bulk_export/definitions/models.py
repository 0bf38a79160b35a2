"""What people write in YAML, as typed records: settings, saved searches, saved exports.

Shapes only. Reading files and naming every problem is `loader.py`; whether a filter is complete is
`filters/completeness.py`, because an incomplete filter must not keep a search from being saved.
"""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

AUDIO_VIDEO_FORMATS = ("mp4", "webm", "wmv", "original")
AUDIO_ONLY_FORMATS = ("wav", "mp3", "ogg", "original")
TRANSCRIPT_FORMATS = ("json", "xml", "none")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

AudioVideoFormat = Literal["mp4", "webm", "wmv", "original"]
AudioOnlyFormat = Literal["wav", "mp3", "ogg", "original"]
TranscriptFormat = Literal["json", "xml", "none"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CsvProfile = Literal["standard", "excel", "data"]


_CRON_FIELDS = 5
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = difflib.get_close_matches(name, available_timezones(), n=1)
        hint = f" Did you mean '{near[0]}'?" if near else ""
        raise ValueError(f"'{name}' is not an IANA time zone such as America/Bogota.{hint}") from error
    return name


def _time_of_day(text: str) -> str:
    if not _TIME_OF_DAY.fullmatch(text):
        raise ValueError(f"'{text}' is not a time of day such as \"02:30\"")
    return text


def _identifier(text: str) -> str:
    if not _IDENTIFIER.fullmatch(text):
        raise ValueError(f"'{text}' is not an id: letters, digits, - and _, at most 100, a letter or digit first")
    return text


def _aware(time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ValueError("a time needs an offset, such as 2026-11-23T02:30:00Z")
    return time


def _none_word(value: object) -> object:
    # `audio_only: none` is how the form words it; YAML's null means the same.
    return None if value == "none" else value


def _profile_word(value: object) -> object:
    # `csv: excel` is short for `csv: {profile: excel}`.
    return {"profile": value} if isinstance(value, str) else value


def _five_field_cron(expression: str) -> str:
    from croniter import croniter  # only exports that use cron pay for it

    if len(expression.split()) != _CRON_FIELDS:
        # A sixth field would be seconds: "0 0 * * * *" fires every second of an hour.
        raise ValueError(f"'{expression}' must have exactly five fields: minute hour day month weekday")
    if not croniter.is_valid(expression):
        raise ValueError(f"'{expression}' is not a cron expression")
    try:
        croniter(expression, datetime(2024, 1, 1, tzinfo=UTC)).get_next()
    except Exception as error:
        raise ValueError(f"'{expression}' never fires") from error
    return expression


Zone = Annotated[str, AfterValidator(_known_zone)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
TimeOfDay = Annotated[str, AfterValidator(_time_of_day)]
Identifier = Annotated[str, AfterValidator(_identifier)]
AwareTime = Annotated[datetime, AfterValidator(_aware)]


class Model(BaseModel):
    """Base of all definitions: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


# --- settings.yaml ---------------------------------------------------------------------------------------------


class Environment(Model):
    """The contact centre as a whole; its zone decides when a quota day starts."""

    name: Text
    time_zone: Zone = "UTC"


LICENCE_LIMITS = {"standard": (1_000, 1_000), "performance": (40_000, 10_000)}


class Licence(Model):
    """What the environment may export: `(daily_contacts, job_contacts)` per licence type unless overridden."""

    type: Literal["none", "standard", "performance"]
    daily_contacts: Annotated[int, Field(ge=1)] | None = None
    job_contacts: Annotated[int, Field(ge=1)] | None = None

    @property
    def contacts_per_day(self) -> int:
        """Contacts the environment may export per quota day; 0 without a licence."""
        return 0 if self.type == "none" else self.daily_contacts or LICENCE_LIMITS[self.type][0]

    @property
    def contacts_per_job(self) -> int:
        """Contacts of one job; 0 without a licence."""
        return 0 if self.type == "none" else self.job_contacts or LICENCE_LIMITS[self.type][1]


class ParquetStore(Model):
    """A directory or bucket prefix with `contacts/**/*.parquet` and the objects beside it."""

    type: Literal["parquet"]
    uri: Text
    connection: Text | None = None


class PostgresStore(Model):
    """A table or view `contacts` behind an Airflow connection; objects in any storage."""

    type: Literal["postgres"]
    connection: Text
    objects: Text


class LocalLocation(Model):
    """A directory; a relative path is taken from the folder of settings.yaml."""

    type: Literal["local"]
    path: Text


class S3Location(Model):
    """An Amazon S3 or compatible bucket; credentials come from the connection."""

    type: Literal["s3"]
    bucket: Text
    prefix: str = ""
    connection: Text | None = None
    region: Text | None = None
    endpoint: Text | None = None
    kms_key: Text | None = None


class AzureLocation(Model):
    """An Azure Blob container; credentials come from the connection."""

    type: Literal["azure"]
    container: Text
    account: Text | None = None
    prefix: str = ""
    connection: Text | None = None


class GcsLocation(Model):
    """A Google Cloud Storage bucket; credentials come from the connection."""

    type: Literal["gcs"]
    bucket: Text
    prefix: str = ""
    connection: Text | None = None


StorageLocation = Annotated[LocalLocation | S3Location | AzureLocation | GcsLocation, Field(discriminator="type")]
ContactStoreSettings = Annotated[ParquetStore | PostgresStore, Field(discriminator="type")]


class StateDatabase(Model):
    """Where runs, quota and events are kept: an SQLAlchemy URL or an Airflow connection."""

    url: Text | None = None
    connection: Text | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> StateDatabase:
        if (self.url is None) == (self.connection is None):
            raise ValueError("give either url or connection")
        return self


class Settings(Model):
    """`settings.yaml`: what the administrator decides for every export."""

    environment: Environment
    licence: Licence
    contact_store: ContactStoreSettings
    storage_locations: dict[Identifier, StorageLocation]
    staging: StorageLocation
    state: StateDatabase
    exportable_metadata: tuple[Text, ...] = ()


# --- searches/*.yaml -------------------------------------------------------------------------------------------


class Filter(Model):
    """One condition as written; anything may still be missing (see `filters/completeness.py`)."""

    field: str | None = None
    operator: str | None = None
    value: Any = None
    time_zone: str | None = None


class SavedSearch(Model):
    """A named set of filters, all of which a contact must meet. `id` is the file's stem."""

    id: Identifier
    name: Text
    description: str = ""
    filters: tuple[Filter, ...] = ()


# --- exports/*.yaml --------------------------------------------------------------------------------------------


class MediaFormats(Model):
    """`audio_video` for contacts with screen, `audio_only` for the rest; both None means no media."""

    audio_video: Annotated[AudioVideoFormat | None, BeforeValidator(_none_word)] = None
    audio_only: Annotated[AudioOnlyFormat | None, BeforeValidator(_none_word)] = None


class Weekly(Model):
    """One or more days and one time of day."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    time: TimeOfDay


class Monthly(Model):
    """A day of the month (the last day where a month is shorter) and a time."""

    day: Annotated[int, Field(ge=1, le=31)]
    time: TimeOfDay


class Schedule(Model):
    """Exactly one of weekly, monthly or cron, in an IANA zone."""

    weekly: Weekly | None = None
    monthly: Monthly | None = None
    cron: Annotated[str, AfterValidator(_five_field_cron)] | None = None
    time_zone: Zone

    @model_validator(mode="after")
    def _exactly_one(self) -> Schedule:
        if sum(kind is not None for kind in (self.weekly, self.monthly, self.cron)) != 1:
            raise ValueError("give exactly one of weekly, monthly, cron")
        return self


class CsvOptions(Model):
    """How contacts.csv is written: profile and the language of Yes/No."""

    profile: CsvProfile = "standard"
    language: Literal["en", "es"] = "en"
    metadata_parquet: bool = False


class Notify(Model):
    """Whom to tell how a run ended."""

    email: tuple[Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = ()
    webhook: Annotated[str, StringConstraints(pattern=r"^https?://")] | None = None
    webhook_secret_connection: Text | None = None
    on: tuple[Literal["failure", "completion"], ...] = ("failure", "completion")


class SavedExport(Model):
    """A scheduled export definition: one file, one generated DAG. `id` is the file's stem."""

    id: Identifier
    name: Text
    search: Identifier
    storage_location: Identifier
    media: MediaFormats = MediaFormats()
    transcripts: Annotated[TranscriptFormat, BeforeValidator(lambda v: "none" if v is None else v)] = "none"
    schedule: Schedule | None = None
    effective_from: AwareTime | None = None
    csv: Annotated[CsvOptions, BeforeValidator(_profile_word)] = CsvOptions()
    incremental: bool = False
    on_quota_exceeded: Literal["continue", "truncate", "fail"] = "continue"
    notify: Notify | None = None
    owner: Text | None = None
    enabled: bool = True
    description: str = ""

    @property
    def dag_id(self) -> str:
        """Made from the file's stem, never from the name, so that renaming keeps the history."""
        return f"export-{self.id}"
