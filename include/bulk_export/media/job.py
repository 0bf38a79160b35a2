"""Copy or convert the media of one job's contacts into the run's directory.

Copies run on threads (two between disks, where more only burn CPU; many where a bucket's answers are waited for),
conversions in `workers` processes, both at once. Results go to the journal in parts, so a task that was killed goes on
where the journal ends. Only a bounded number of contacts is under way, so memory does not grow with the job.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bulk_export.contacts.addresses import Resolve, check_mounted
from bulk_export.definitions.models import MediaFormats
from bulk_export.errors import TransientError
from bulk_export.media.contact_media import Contact, Delivery, Progress
from bulk_export.media.faults import MediaLimits
from bulk_export.media.plan import Skip
from bulk_export.media.pool import Converters
from bulk_export.media.throttle import Throttle
from bulk_export.reasons import NOT_APPLICABLE
from bulk_export.staging.journal import FileResult, Journal
from bulk_export.storage.base import Storage

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["MediaCounts", "MediaLimits", "copy_job_media"]

# Threads that move files, contacts per hand-over to one, hand-overs under way.
_BETWEEN_DISKS = (2, 32, 6)
_WITH_BUCKETS = (24, 4, 48)  # 30 ms an answer and two answers a file are 400 files/s
_CONVERTING_PER_WORKER = 16  # contacts waiting for each process
_PART_CONTACTS = 500
_PART_S = 5.0
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
        files = [result for result in results if result.reason is None]
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
    source: Storage,
    destination: Storage,
    run_prefix: str,
    journal: Journal,
    scratch: Path,
    workers: int,
    limits: MediaLimits,
    progress: Callable[[int, int], None],
    resolve: Resolve | None = None,
    throttle: Throttle | None = None,
) -> MediaCounts:
    """Deliver the media of a job's contacts; every contact ends with its files or with a reason in the journal.

    Converges: a contact whose journaled files stand in the destination with the right size is not sent again. A faulty
    one is tried again (what was missing may have arrived); the journal gets a later result for it only when that
    differs, and then the later one counts.

    Args:
        contacts: rows with `contact_id, contact_type, recycled, audio_uri, screen_uri, audio_bytes, screen_bytes`.
        job: number of the job, 1 to 9999.
        formats: what was asked for.
        source: root of the contact store's objects.
        destination: the storage location.
        run_prefix: the run's directory in the destination.
        journal: where results go, and where an earlier attempt's are.
        scratch: directory for unfinished conversions; this job uses a directory of its own in it.
        workers: converting processes at most, at least 1.
        limits: what one file may take.
        progress: called with (contacts done, bytes delivered) about once per part of the journal.
        resolve: for addresses outside of the source; without it those are MEDIA_MISSING.
        throttle: what may be read from the source; None for all it gives.

    Raises:
        TransientError: the source, the destination or the scratch directory is down or full.
        RefusedError: the destination denies writing, or the source denies reading anything.
    """
    counts = MediaCounts()
    if formats.audio_video is None and formats.audio_only is None:
        return counts
    run_prefix = run_prefix.strip("/")
    folder = f"data/media/{job:04d}"
    check_mounted(source)
    # The name tells run and job, so that a retry finds and removes what a killed attempt left there.
    own_scratch = scratch / f"media-{hashlib.sha256(run_prefix.encode()).hexdigest()[:16]}-{job:04d}"
    scratch_is_ours = not scratch.exists()
    _make_empty(own_scratch)
    converters = Converters()
    delivery = Delivery(
        formats, source, destination, run_prefix, folder, own_scratch, limits, converters, resolve, throttle
    )
    try:
        earlier = _Earlier(journal, destination, f"{run_prefix}/{folder}/", run_prefix)
        delivery.journaled = earlier.paths
        todo = _todo(contacts, delivery, earlier, counts)
        _Run(delivery, journal, earlier, counts, progress, max(1, workers)).deliver(todo)
    finally:
        converters.close()
        shutil.rmtree(own_scratch, ignore_errors=True)
        if scratch_is_ours:
            with suppress(OSError):  # somebody else uses it by now
                scratch.rmdir()
    return counts


class _Earlier:
    """What earlier attempts at the job have achieved."""

    def __init__(self, journal: Journal, destination: Storage, prefix: str, run_prefix: str) -> None:
        self._results: dict[int, dict[str, FileResult]] = {}
        for result in journal.read():
            self._results.setdefault(result.contact_id, {})[result.kind] = result
        self._run_prefix = run_prefix
        self._there = {entry.key: entry.bytes for entry in destination.list(prefix)} if self._results else {}

    @property
    def paths(self) -> frozenset[str]:
        """What they delivered."""
        return frozenset(result.path for kinds in self._results.values() for result in kinds.values() if result.path)

    def settled(self, contact: Contact, delivery: Delivery) -> list[FileResult] | None:
        """The contact's results when nothing is left to do for it, else None."""
        known = self._results.get(contact.contact_id)
        if known is None:
            return None
        wanted = delivery.wanted(contact)
        kinds = {"media"} if isinstance(wanted, Skip) else {wish.kind for wish in wanted}
        if known.keys() != kinds or not all(self._stands(result) for result in known.values()):
            return None
        return list(known.values())

    def news(self, results: list[FileResult]) -> list[FileResult]:
        """The results that the journal does not hold already."""
        return [result for result in results if self._results.get(result.contact_id, {}).get(result.kind) != result]

    def _stands(self, result: FileResult) -> bool:
        if result.reason is not None:
            return result.reason in NOT_APPLICABLE
        return self._there.get(f"{self._run_prefix}/{result.path}") == result.bytes


class _Run:
    """One attempt: feeds threads, gathers results, writes the journal."""

    def __init__(
        self,
        delivery: Delivery,
        journal: Journal,
        earlier: _Earlier,
        counts: MediaCounts,
        progress: Callable[[int, int], None],
        workers: int,
    ) -> None:
        self._delivery, self._journal, self._earlier = delivery, journal, earlier
        self._counts, self._progress, self._workers = counts, progress, workers
        self._movers, self._together, self._moving = _BETWEEN_DISKS if delivery.is_local else _WITH_BUCKETS
        self._part: list[FileResult] = []
        self._part_contacts, self._part_began = 0, time.monotonic()

    def deliver(self, todo: Iterator[Contact]) -> None:
        """Until every contact has its results."""
        movers = ThreadPoolExecutor(self._movers, thread_name_prefix="media-move")
        converting = ThreadPoolExecutor(self._workers, thread_name_prefix="media-convert")
        try:
            self._drive(todo, movers, converting)
        except BaseException:
            self._delivery.converters.close()
            movers.shutdown(wait=False, cancel_futures=True)
            converting.shutdown(wait=False, cancel_futures=True)
            with suppress(Exception):  # the first error is the one to report
                self._write_part()
            raise
        finally:
            movers.shutdown(wait=True)
            converting.shutdown(wait=True)
        self._write_part()

    def _drive(self, todo: Iterator[Contact], movers: ThreadPoolExecutor, converting: ThreadPoolExecutor) -> None:
        moving: set[Future[list[Progress]]] = set()
        conversions: set[Future[Progress]] = set()
        more = True
        while more or moving or conversions:
            waiting_at_most = _CONVERTING_PER_WORKER * self._workers
            while more and len(moving) < self._moving and len(conversions) < waiting_at_most:
                batch = list(islice(todo, self._together))
                if batch:
                    moving.add(movers.submit(self._begin_all, batch))
                else:
                    more = False
            if not moving and not conversions:
                break
            everything: set[Future[Any]] = {*moving, *conversions}
            done, _ = wait(everything, timeout=_PART_S, return_when=FIRST_COMPLETED)
            for future in moving & done:
                for begun in future.result():
                    if begun.pending:
                        conversions.add(converting.submit(self._delivery.finish, begun))
                    else:
                        self._record(begun)
            for finished in conversions & done:
                self._record(finished.result())
            moving -= done
            conversions -= done
            if self._part_contacts >= _PART_CONTACTS or time.monotonic() - self._part_began > _PART_S:
                self._write_part()

    def _begin_all(self, batch: list[Contact]) -> list[Progress]:
        return [self._delivery.begin(contact) for contact in batch]

    def _record(self, finished: Progress) -> None:
        self._counts.add(finished.results)
        self._part += self._earlier.news(finished.results)
        self._part_contacts += 1

    def _write_part(self) -> None:
        self._journal.append(sorted(self._part, key=lambda result: result.contact_id))
        self._part, self._part_contacts, self._part_began = [], 0, time.monotonic()
        self._progress(self._counts.contacts, self._counts.bytes)


def _todo(contacts: pa.Table, delivery: Delivery, earlier: _Earlier, counts: MediaCounts) -> Iterator[Contact]:
    """The contacts that still need something; the others are counted."""
    for batch in contacts.select(list(_COLUMNS)).to_batches(max_chunksize=1000):
        for row in zip(*(batch.column(name).to_pylist() for name in _COLUMNS), strict=True):
            contact_id, contact_type, recycled, audio_uri, screen_uri, audio_bytes, screen_bytes = row
            if recycled:
                counts.contacts += 1
                counts.recycled += 1
                continue
            contact = Contact(
                contact_id, contact_type, audio_uri or "", screen_uri or "", audio_bytes or 0, screen_bytes or 0
            )
            settled = earlier.settled(contact, delivery)
            if settled is None:
                yield contact
            else:
                counts.add(settled)


def _make_empty(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TransientError("SCRATCH_FAILED", f"could not create {directory}: {error.strerror}") from error
