"""What people write in YAML, as typed records: settings, saved searches, saved exports.

Shapes only. Reading files and naming every problem is `loader.py`; whether a filter is complete is
`filters/completeness.py`, because an incomplete filter must not keep a search from being saved.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from bulk_export.definitions.values import AwareTime, Cron, Identifier, Text, TimeOfDay, Zone, none_word, profile_word

AUDIO_VIDEO_FORMATS = ("mp4", "webm", "wmv", "original")
AUDIO_ONLY_FORMATS = ("wav", "mp3", "ogg", "original")
TRANSCRIPT_FORMATS = ("json", "xml", "none")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

AudioVideoFormat = Literal["mp4", "webm", "wmv", "original"]
AudioOnlyFormat = Literal["wav", "mp3", "ogg", "original"]
TranscriptFormat = Literal["json", "xml", "none"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CsvProfile = Literal["standard", "excel", "data"]


class Model(BaseModel):
    """Base of all definitions: unknown keys are refused, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


# --- settings.yaml ---------------------------------------------------------------------------------------------


class Environment(Model):
    """The contact centre as a whole; its zone decides when a quota day starts."""

    name: Text = Field(description="Its name, in the audit and in each bag.", examples=["acme"])
    time_zone: Zone = Field("UTC", description="IANA zone of the quota day.", examples=["America/Bogota"])


LICENCE_LIMITS = {"standard": (1_000, 1_000), "performance": (40_000, 10_000)}


class Licence(Model):
    """What the environment may export: `(daily_contacts, job_contacts)` per licence type unless overridden."""

    type: Literal["none", "standard", "performance"] = Field(
        description="`none` exports nothing; `standard` 1,000 contacts a day in jobs of 1,000; `performance` 40,000 a "
        "day in jobs of 10,000.",
        examples=["performance"],
    )
    daily_contacts: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Contacts per quota day, instead of the licence type's.", examples=[60000]
    )
    job_contacts: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Contacts per job, instead of the licence type's.", examples=[5000]
    )

    @property
    def contacts_per_day(self) -> int:
        """Contacts the environment may export per quota day; 0 without a licence."""
        return 0 if self.type == "none" else self.daily_contacts or LICENCE_LIMITS[self.type][0]

    @property
    def contacts_per_job(self) -> int:
        """Contacts of one job; 0 without a licence."""
        return 0 if self.type == "none" else self.job_contacts or LICENCE_LIMITS[self.type][1]


class Place(Model):
    """Somewhere that contacts come from or exports go to."""

    pool: Text | None = Field(
        None,
        description="Airflow pool whose slots bound how many tasks of all exports work with it at once; the pool has "
        "to exist.",
        examples=["archive"],
    )


class ParquetStore(Place):
    """A directory or bucket prefix with `contacts/**/*.parquet` and the objects beside it."""

    type: Literal["parquet"]
    uri: Text = Field(
        description="Directory, a relative one from the folder of settings.yaml; or `s3://`, `az://`, `gs://` address.",
        examples=["../../var/store"],
    )
    connection: Text | None = Field(None, description="Airflow connection of a bucket.", examples=["aws_calls"])


class PostgresStore(Place):
    """A table or view `contacts` behind an Airflow connection; objects in any storage."""

    type: Literal["postgres"]
    connection: Text = Field(description="Airflow connection of the database.", examples=["contacts_db"])
    objects: Text = Field(
        description="Where the catalogue's relative addresses start.", examples=["s3://acme-calls/store"]
    )
    objects_connection: Text | None = Field(
        None, description="Airflow connection of the bucket that holds the objects.", examples=["aws_calls"]
    )
    table: Annotated[str, StringConstraints(pattern=r'^[^\s".?]{1,63}(\.[^\s".?]{1,63})?$')] = Field(
        "contacts", description="The table or view, as `name` or `schema.name`.", examples=["export.contacts"]
    )
    statement_timeout_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        600, description="Seconds after which the server gives a query up.", examples=[1200]
    )


_PREFIX = "Below which everything lies."
_CONNECTION = "Airflow connection with the credentials; on the command line the service's environment variables serve."


class LocalLocation(Place):
    """A directory; a relative path is taken from the folder of settings.yaml."""

    type: Literal["local"]
    path: Text = Field(description="The directory; made when it is not there.", examples=["../../var/exports"])


class S3Location(Place):
    """An Amazon S3 or compatible bucket; credentials come from the connection."""

    type: Literal["s3"]
    bucket: Text = Field(description="The bucket's name.", examples=["acme-exports"])
    prefix: str = Field("", description=_PREFIX, examples=["calls"])
    connection: Text | None = Field(None, description=_CONNECTION, examples=["aws_default"])
    region: Text | None = Field(None, description="Region of the bucket.", examples=["eu-west-1"])
    endpoint: Text | None = Field(
        None, description="Address of a compatible server; Amazon's without it.", examples=["https://s3.acme.internal"]
    )
    kms_key: Text | None = Field(
        None,
        description="KMS key (SSE-KMS) every object is encrypted with.",
        examples=["arn:aws:kms:eu-west-1:111122223333:key/1234"],
    )


class AzureLocation(Place):
    """An Azure Blob container; credentials come from the connection."""

    type: Literal["azure"]
    container: Text = Field(description="The container's name.", examples=["exports"])
    account: Text | None = Field(None, description="Storage account, where no connection says it.", examples=["acme"])
    prefix: str = Field("", description=_PREFIX, examples=["calls"])
    connection: Text | None = Field(None, description=_CONNECTION, examples=["wasb_default"])


class GcsLocation(Place):
    """A Google Cloud Storage bucket; credentials come from the connection."""

    type: Literal["gcs"]
    bucket: Text = Field(description="The bucket's name.", examples=["acme-exports"])
    prefix: str = Field("", description=_PREFIX, examples=["calls"])
    connection: Text | None = Field(None, description=_CONNECTION, examples=["google_cloud_default"])


StorageLocation = Annotated[LocalLocation | S3Location | AzureLocation | GcsLocation, Field(discriminator="type")]
ContactStoreSettings = Annotated[ParquetStore | PostgresStore, Field(discriminator="type")]


class StateDatabase(Model):
    """Where runs, quota and events are kept: an SQLAlchemy URL or an Airflow connection."""

    url: Text | None = Field(
        None,
        description="SQLAlchemy URL; relative SQLite paths start at the folder of settings.yaml.",
        examples=["sqlite:///../../var/state.db"],
    )
    connection: Text | None = Field(
        None, description="Airflow connection of the database.", examples=["bulk_export_state"]
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> StateDatabase:
        if (self.url is None) == (self.connection is None):
            raise ValueError("give either url or connection")
        return self


class Limits(Model):
    """How much of the machines and of the network exports may take."""

    jobs_at_once: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Jobs of one run whose media, or transcripts, are exported at the same time.", examples=[4]
    )
    workers: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Processes that convert media, of each job; without it one per processor.", examples=[2]
    )
    megabytes_per_second: Annotated[float, Field(gt=0)] | None = Field(
        None, description="What each job reads of media from the contact store, on average.", examples=[50]
    )


class Settings(Model):
    """`settings.yaml`: what the administrator decides for every export."""

    environment: Environment = Field(description="The contact centre as a whole.")
    licence: Licence = Field(description="What may be exported.")
    contact_store: ContactStoreSettings = Field(description="Where contacts come from.")
    storage_locations: dict[Identifier, StorageLocation] = Field(
        description="Where exports may deliver to, each under a name that exports use."
    )
    staging: StorageLocation = Field(description="Where the stages of a run leave each other what they know.")
    state: StateDatabase = Field(description="The database of runs, quota and events.")
    limits: Limits = Field(Limits(), description="What exports may take of machines and network.")
    exportable_metadata: tuple[Text, ...] = Field(
        (),
        description="Custom metadata keys that may leave: CSV columns, in this order, and fields of filters.",
        examples=[["account-key", "service-key"]],
    )


# --- searches/*.yaml -------------------------------------------------------------------------------------------


class Filter(Model):
    """One condition as written; anything may still be missing (see `filters/completeness.py`)."""

    field: str | None = Field(None, description="What to look at; see Filters.", examples=["started_at"])
    operator: str | None = Field(None, description="How to compare; see Filters.", examples=["last_days"])
    value: Any = Field(None, description="What to compare with; its form depends on both.", examples=[7])
    time_zone: str | None = Field(
        None,
        description="Of dates: an IANA zone, or `contact` for each contact's own; without it the environment's.",
        examples=["contact"],
    )


class SavedSearch(Model):
    """A named set of filters, all of which a contact must meet. `id` is the file's stem."""

    id: Identifier
    name: Text = Field(description="What people call it.", examples=["Detractors of the last week"])
    description: str = Field("", description="For people.")
    filters: tuple[Filter, ...] = Field((), description="Conditions; a run needs at least one.")


# --- exports/*.yaml --------------------------------------------------------------------------------------------


class MediaFormats(Model):
    """`audio_video` for contacts with screen, `audio_only` for the rest; both None means no media."""

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
    """A day of the month (the last day where a month is shorter) and a time."""

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
    """How contacts.csv is written: profile and the language of Yes/No."""

    profile: CsvProfile = Field(
        "standard",
        description="`standard` for people, `excel` for Excel, `data` for programs; see the output format.",
        examples=["excel"],
    )
    language: Literal["en", "es"] = Field("en", description="Of Yes and No in cells.", examples=["es"])
    metadata_parquet: bool = Field(False, description="Deliver contacts.parquet beside contacts.csv.", examples=[True])


class Notify(Model):
    """Whom to tell how a run ended."""

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
        ("failure", "completion"), description="Which ends are told.", examples=[["failure"]]
    )


class SavedExport(Model):
    """A scheduled export definition: one file, one generated DAG. `id` is the file's stem."""

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
    notify: Notify | None = Field(None, description="Whom to tell how a run ended.")
    owner: Text | None = Field(None, description="Owner of the DAG in Airflow.", examples=["records"])
    enabled: bool = Field(True, description="`false`: the DAG stays, its schedule does not run.", examples=[False])
    description: str = Field("", description="For people; the DAG's description.")

    @property
    def dag_id(self) -> str:
        """Made from the file's stem, never from the name, so that renaming keeps the history."""
        return f"export-{self.id}"
