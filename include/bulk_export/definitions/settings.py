"""`settings.yaml` as typed records.

What the administrator decides for every export.

Shapes only, as in `models.py`; the kinds of places are `locations.py` and `contact_stores.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bulk_export.definitions.contact_stores import ContactStoreSettings
from bulk_export.definitions.locations import StorageLocation
from bulk_export.definitions.values import Identifier, Model, Text, Zone


class Environment(Model):
    """The contact centre; its zone decides when quota days start."""

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


class StateDatabase(Model):
    """Where runs, quota and events are kept."""

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
