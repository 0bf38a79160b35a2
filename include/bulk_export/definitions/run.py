"""Definitions and parameters of one run, frozen at its start.

The snapshot goes into the run record. Every later stage reads it from there, so an edit never changes a run under way.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import yaml
from pydantic import Field, model_validator

from bulk_export.definitions.contact_stores import ContactStoreSettings
from bulk_export.definitions.locations import StorageLocation
from bulk_export.definitions.models import (
    AudioOnlyFormat,
    AudioVideoFormat,
    MediaFormats,
    SavedExport,
    SavedSearch,
    TranscriptFormat,
)
from bulk_export.definitions.settings import Environment, Licence
from bulk_export.definitions.values import AwareTime, Identifier, Model, Text
from bulk_export.filters.dates import whole_days

# The id of every export that is sent at once instead of being saved.
IMMEDIATE = "immediate"


class RunParameters(Model):
    """What may be changed for one run; unknown keys are refused.

    `started_from` and `started_until` (both included, in the environment's zone) take the place of the search's own
    `started_at` filters. `retry_failed_of` names an earlier run, by id or key: exactly the contacts it could not
    deliver are exported, whatever the search says.
    """

    started_from: date | None = Field(
        None, description="First day of contacts, instead of the search's own dates.", examples=["2026-11-01"]
    )
    started_until: date | None = Field(None, description="Last day of contacts, included.", examples=["2026-11-30"])
    storage_location: Identifier | None = Field(None, description="Deliver to this one instead.", examples=["lake"])
    limit: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Export at most so many contacts, the oldest ones.", examples=[100]
    )
    dry_run: bool = Field(
        False, description="Write and charge nothing; report what would be exported.", examples=[True]
    )
    retry_failed_of: Text | None = Field(
        None,
        description="Id or key of an earlier run: export exactly the contacts it could not deliver.",
        examples=["4f1c09ab2e"],
    )

    @model_validator(mode="after")
    def _in_order(self) -> RunParameters:
        if (self.started_from is None) != (self.started_until is None):
            raise ValueError("give both started_from and started_until, or neither")
        if self.started_from and self.started_until and self.started_from > self.started_until:
            raise ValueError("started_from is after started_until")
        if self.retry_failed_of and self.started_from:
            raise ValueError("retry_failed_of says which contacts, so there is no room for started_from")
        return self


class ImmediateExport(Model):
    """An export sent at once from the form, without being saved."""

    name: Text = Field(description="Its directory is named after it.", examples=["Case 4711"])
    search: Identifier = Field(description="Id of a saved search.", examples=["recent-detractors"])
    storage_location: Identifier = Field(description="Name of a storage location.", examples=["archive"])
    audio_video: AudioVideoFormat | None = Field(
        None, description="Format for contacts with a screen recording.", examples=["mp4"]
    )
    audio_only: AudioOnlyFormat | None = Field(
        None, description="Format for contacts without one, and for all when it is the only one.", examples=["mp3"]
    )
    transcripts: TranscriptFormat = Field("none", description="Form of the transcripts.", examples=["json"])

    def as_export(self) -> SavedExport:
        """The same as a definition, which is all that stages know."""
        return SavedExport(
            id=IMMEDIATE,
            name=self.name,
            search=self.search,
            storage_location=self.storage_location,
            media=MediaFormats(audio_video=self.audio_video, audio_only=self.audio_only),
            transcripts=self.transcripts,
        )


class RunSnapshot(Model):
    """Everything a run needs to know, frozen at its start.

    Holds no credentials: connections are named, not copied.
    """

    export: SavedExport
    search: SavedSearch
    environment: Environment
    licence: Licence
    contact_store: ContactStoreSettings
    storage_location: StorageLocation
    exportable_metadata: tuple[str, ...]
    parameters: RunParameters
    as_of: AwareTime

    @property
    def exclusive(self) -> bool:
        """Whether no other such run may be under way.

        Both would deliver the same contacts.
        """
        return self.export.incremental and not self.parameters.dry_run

    @property
    def version(self) -> str:
        """Twelve hex digits that change whenever what is exported, or how, changes."""
        definitions = self.model_copy(update={"parameters": RunParameters(), "as_of": datetime.min})
        return hashlib.sha256(definitions.model_dump_json().encode()).hexdigest()[:12]

    @property
    def window(self) -> tuple[datetime, datetime] | None:
        """The dates given for this run instead of the search's.

        From the first moment to before the last, in UTC.
        """
        given = self.parameters
        if given.started_from is None or given.started_until is None:
            return None
        return whole_days(given.started_from, given.started_until, ZoneInfo(self.environment.time_zone))

    def as_yaml(self) -> str:
        """`data/export.yaml`: the definitions as run, in the words of the definition files.

        Without `notify`: the receiver need not know whom the sender notifies, and an address may hold a token.
        """
        content = self.model_dump(mode="json", exclude_defaults=True, exclude={"export": {"notify"}})
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
