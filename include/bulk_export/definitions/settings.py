"""`settings.yaml` as typed records: what the administrator decides for every export.

Shapes only, as in `models.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from bulk_export.definitions.values import Identifier, Model, Text, Zone


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


_PREFIX = "Below which everything is stored."
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
