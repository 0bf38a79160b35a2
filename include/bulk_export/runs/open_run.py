"""A run under way: its record, its frozen definitions and its places."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bulk_export.contacts.standing_folders import StandingFolders, standing_folders
from bulk_export.definitions.run import RunSnapshot
from bulk_export.errors import DefinitionError
from bulk_export.jobs.progress import ReportProgress
from bulk_export.runs.attempt import Attempt
from bulk_export.site import Site
from bulk_export.staging.private_folder import own_folder
from bulk_export.staging.run_staging import RunStaging
from bulk_export.state.progress import record_progress
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import guard

if TYPE_CHECKING:
    from bulk_export.contacts.addresses import Addresses
    from bulk_export.contacts.base import ContactStore
    from bulk_export.state.records import RunRecord


_FOLDERS = "folders"


@dataclass(frozen=True)
class OpenRun:
    """A run under way: its record, its definitions and its places.

    Attributes:
        site: the installation.
        record: as it was when the run was loaded.
        begun: the attempt it goes on with; None for the one of the record.
    """

    site: Site
    record: RunRecord
    begun: Attempt | None = None

    def reread(self) -> OpenRun:
        """The run as its record is now, in the same attempt."""
        return OpenRun(self.site, self.site.reread(self.record.run_id), self.attempt)

    @cached_property
    def snapshot(self) -> RunSnapshot:
        """The definitions as they were when the run began.

        Raises:
            DefinitionError: the run was refused before there were any.
        """
        if not self.record.definitions:
            raise DefinitionError(
                "DEFINITION_INVALID",
                f"{self.record.run_id} was refused by validate_filters, and has no definitions to go on with",
                hint="Clear the run from validate_filters on, with everything downstream.",
            )
        return RunSnapshot.model_validate_json(self.record.definitions)

    @cached_property
    def attempt(self) -> Attempt:
        """The attempt that whoever loaded the run belongs to."""
        return self.begun or Attempt(self.site.engine, self.record.run_id, self.record.attempt)

    @cached_property
    def staging(self) -> RunStaging:
        """What the run's stages know; a late attempt cannot change it."""
        staging = self.site.staging(self.record.run_key)
        guard(staging.storage, self.attempt.confirm)
        return staging

    @cached_property
    def scratch(self) -> Path:
        """Unfinished files, on this machine, of this attempt at a stage alone."""
        return own_folder(self.site.scratch(self.record.run_key))

    def remove_scratch(self) -> None:
        """Remove the unfinished files, if there are any."""
        if "scratch" in self.__dict__:
            shutil.rmtree(self.scratch, ignore_errors=True)

    @cached_property
    def destination(self) -> Storage:
        """Where the run delivers to; late attempts change nothing there."""
        destination = self.site.destination(self.snapshot)
        guard(destination, self.attempt.confirm_at_times)
        return destination

    @cached_property
    def store(self) -> ContactStore:
        """Where the run's contacts come from."""
        return self.site.contact_store(self.snapshot, self.scratch)

    @cached_property
    def addresses(self) -> Addresses:
        """What the addresses of its contacts may lead to."""
        return self.site.addresses(self.snapshot.contact_store, self.store.objects)

    @property
    def standing_folders(self) -> StandingFolders:
        """Directories of its contacts that stood when they were selected."""
        return StandingFolders(tuple(self.staging.read_facts(_FOLDERS) or ()))

    def note_standing_folders(self) -> None:
        """Keep which directories stand now, once."""
        if self.staging.read_facts(_FOLDERS) is None:
            self.staging.write_facts(_FOLDERS, dict.fromkeys(standing_folders(self.addresses).paths, 1))

    @property
    def dry(self) -> bool:
        """Whether the run only says what it would do."""
        return self.snapshot.parameters.dry_run

    @property
    def nothing_to_deliver(self) -> bool:
        """Whether the directory is finished, or the run is dry."""
        return self.record.published or self.dry

    def progress(self, stage: str, job: int, total: int) -> ReportProgress:
        """Keeps the record, and whoever watches, up to date."""

        def report(*, contacts_done: int, bytes_written: int) -> None:
            self.attempt.confirm()
            engine, now = self.site.engine, self.site.clock()
            key = (self.record.run_id, stage, job)
            record_progress(engine, *key, done=contacts_done, total=total, bytes=bytes_written, now=now)
            self.site.report(stage, contacts_done, total)

        return report
