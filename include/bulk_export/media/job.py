"""Copy or convert the media of one job's contacts.

Copies run on threads (two between disks, where more only burn CPU; many where a bucket's answers are waited for),
conversions in `workers` processes, both at once. Resuming, the journal and progress are those of every per-contact job
(`jobs/contact_job.py`).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bulk_export.contacts.addresses import Addresses, check_mounted
from bulk_export.contacts.standing_folders import NO_FOLDERS, StandingFolders
from bulk_export.definitions.models import MediaFormats
from bulk_export.jobs.contact_job import Concurrency, concurrency_for, run_contact_job
from bulk_export.jobs.earlier_results import EarlierResults
from bulk_export.jobs.progress import ReportProgress
from bulk_export.jobs.stored_objects import StoredObjects
from bulk_export.media.contact_media import Contact, MediaJobContext
from bulk_export.media.faults import MediaLimits
from bulk_export.media.pool import Converters
from bulk_export.media.throttle import Throttle
from bulk_export.reasons import NOT_APPLICABLE, Reason
from bulk_export.staging.journal import FileResult, Journal
from bulk_export.storage.base import Storage
from bulk_export.storage.faults import scratch_faults

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MediaCounts", "MediaLimits", "copy_job_media"]

_BETWEEN_DISKS = Concurrency(threads=2, batch=32, in_flight=6)
_COLUMNS = ("contact_id", "contact_type", "recycled", "audio_uri", "screen_uri", "audio_bytes", "screen_bytes")


@dataclass(slots=True)
class MediaCounts:
    """What became of a job's media, earlier attempts included.

    Attributes:
        contacts: contacts looked at, recycled ones included.
        delivered: contacts that got all their files.
        faulty: contacts with a file that could not be delivered.
        without: contacts that have nothing to deliver (NO_MEDIA, NO_SCREEN).
        recycled: contacts that get nothing.
        files: files delivered.
        bytes: their bytes.
    """

    contacts: int = 0
    delivered: int = 0
    faulty: int = 0
    without: int = 0
    recycled: int = 0
    files: int = 0
    bytes: int = 0

    def add(self, results: list[FileResult]) -> None:
        """Count one contact's results."""
        self.contacts += 1
        files = [result for result in results if result.delivered]
        self.files += len(files)
        self.bytes += sum(result.bytes for result in files)
        if any(result.reason not in NOT_APPLICABLE for result in results if result.reason):
            self.faulty += 1
        elif files:
            self.delivered += 1
        elif results:
            self.without += 1


def copy_job_media(
    contacts: pa.Table,
    *,
    job: int,
    formats: MediaFormats,
    addresses: Addresses,
    destination: Storage,
    run_prefix: str,
    journal: Journal,
    scratch: Path,
    workers: int,
    limits: MediaLimits,
    progress: ReportProgress,
    throttle: Throttle | None = None,
    standing: StandingFolders = NO_FOLDERS,
) -> MediaCounts:
    """Deliver the media of a job's contacts.

    Every contact ends with its files or with a reason in the journal.

    Converges: a contact whose journaled files are in the destination with the right size is not sent again. A faulty
    one is tried again (what was missing may have arrived); the journal gets a later result for it only when that
    differs, and then the later one counts.

    Args:
        contacts: rows with `contact_id, contact_type, recycled, audio_uri, screen_uri, audio_bytes, screen_bytes`.
        job: number of the job, 1 to 9999.
        formats: what was asked for.
        addresses: what the contact store's addresses may lead to.
        destination: the storage location.
        run_prefix: the run's directory in the destination.
        journal: where results go, and where an earlier attempt's are.
        scratch: directory for unfinished conversions; this job uses a directory of its own in it.
        workers: converting processes at most, at least 1.
        limits: what one file may take.
        progress: called after every part of the journal.
        throttle: what may be read from the source; None for all it gives.
        standing: directories of the store whose loss is an outage.

    Raises:
        TransientError: the source, the destination or the scratch directory is down or full.
        RefusedError: the destination denies writing, or the source denies reading anything.
    """
    counts = MediaCounts()
    if formats.audio_video is None and formats.audio_only is None:
        return counts
    run_prefix = run_prefix.strip("/")
    folder = f"data/media/{job:04d}"
    check_mounted(addresses.root)
    earlier = EarlierResults(journal, destination, run_prefix, folder)
    todo = _not_recycled(contacts)
    counts.contacts = counts.recycled = contacts.num_rows - len(todo)
    converters = Converters()
    with _own_scratch(scratch, run_prefix, job) as own_scratch:
        try:
            run_contact_job(
                MediaJobContext(
                    formats=formats,
                    objects=StoredObjects(
                        addresses, Reason.MEDIA_MISSING, Reason.MEDIA_CORRUPT, standing, shows_keys=True
                    ),
                    destination=destination,
                    run_prefix=run_prefix,
                    folder=folder,
                    earlier=earlier,
                    scratch=own_scratch,
                    limits=limits,
                    converters=converters,
                    throttle=throttle,
                ),
                todo,
                without_work=counts.recycled,
                earlier=earlier,
                journal=journal,
                concurrency=concurrency_for(addresses.root, destination, _BETWEEN_DISKS),
                count=counts.add,
                progress=progress,
                slow_threads=workers,
                stop=converters.close,
            )
        finally:
            converters.close()
    return counts


def _not_recycled(contacts: pa.Table) -> list[Contact]:
    columns = (contacts[name].to_pylist() for name in _COLUMNS)
    return [
        Contact(contact_id, contact_type, audio_uri or "", screen_uri or "", audio_bytes or 0, screen_bytes or 0)
        for contact_id, contact_type, recycled, audio_uri, screen_uri, audio_bytes, screen_bytes in zip(
            *columns, strict=True
        )
        if not recycled
    ]


@contextmanager
def _own_scratch(scratch: Path, run_prefix: str, job: int) -> Iterator[Path]:
    """A directory for the job's unfinished files, empty at first and gone afterwards."""
    # The name tells run and job, so that a retry finds and removes what a killed attempt left there.
    own = scratch / f"media-{hashlib.sha256(run_prefix.encode()).hexdigest()[:16]}-{job:04d}"
    scratch_is_ours = not scratch.exists()
    _make_empty(own)
    try:
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        if scratch_is_ours:
            with suppress(OSError):  # somebody else uses it by now
                scratch.rmdir()


def _make_empty(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    with scratch_faults(directory):
        directory.mkdir(parents=True, exist_ok=True)
