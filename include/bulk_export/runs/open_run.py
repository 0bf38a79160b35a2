"""A run under way: its record, its frozen definitions and its places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bulk_export.definitions.run import RunSnapshot
from bulk_export.jobs.progress import ReportProgress
from bulk_export.site import Site
from bulk_export.staging.run_staging import RunStaging
from bulk_export.state.progress import record_progress
from bulk_export.storage.base import Storage

if TYPE_CHECKING:
    from bulk_export.contacts.addresses import Addresses
    from bulk_export.contacts.base import ContactStore
    from bulk_export.state.records import RunRecord


@dataclass(frozen=True)
class OpenRun:
    """A run under way: its record, its definitions and its places."""

    site: Site
    record: RunRecord

    @cached_property
    def snapshot(self) -> RunSnapshot:
        """The definitions as they were when the run began."""
        return RunSnapshot.model_validate_json(self.record.definitions)

    @cached_property
    def staging(self) -> RunStaging:
        """What the run's stages know."""
        return self.site.staging(self.record.run_key)

    @cached_property
    def scratch(self) -> Path:
        """Unfinished files, on this machine."""
        return self.site.scratch(self.record.run_key)

    @cached_property
    def destination(self) -> Storage:
        """Where the run delivers to."""
        return self.site.destination(self.snapshot)

    @cached_property
    def store(self) -> ContactStore:
        """Where the run's contacts come from."""
        return self.site.contact_store(self.snapshot, self.scratch)

    @cached_property
    def addresses(self) -> Addresses:
        """What the addresses of its contacts may lead to."""
        return self.site.addresses(self.snapshot.contact_store, self.store.objects)

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
            engine, now = self.site.engine, self.site.clock()
            key = (self.record.run_id, stage, job)
            record_progress(engine, *key, done=contacts_done, total=total, bytes=bytes_written, now=now)
            self.site.report(stage, contacts_done, total)

        return report
