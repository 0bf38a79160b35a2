"""All transcripts of one job: read from the store, check, write.

A contact ends in exactly one way:

| contact | result |
|---|---|
| recycled | none: it has no transcript to give, and its own status says why |
| no `transcript_uri` | NO_TRANSCRIPT |
| object absent or refused, or an address no object can have | TRANSCRIPT_MISSING |
| address of what may not be read | ADDRESS_NOT_ALLOWED, unread |
| object larger than `max_bytes` | TRANSCRIPT_TOO_LARGE, unread |
| cut off, empty, not of the format, of another contact, cannot be read | TRANSCRIPT_CORRUPT |
| anything else | delivered |

Storage that is down (`unreadable_objects.py`), a store that refuses everything (`access_denials.py`) and a destination
that refuses anything end the job with that error. Resuming, the journal and progress are those of every per-contact job
(`jobs/contact_job.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pkgutil import resolve_name
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from bulk_export.contacts.addresses import Addresses, check_mounted
from bulk_export.contacts.standing_folders import NO_FOLDERS, StandingFolders
from bulk_export.errors import RefusedError
from bulk_export.formats.transcripts import TRANSCRIPT_FORMATS
from bulk_export.jobs.contact_job import IN_THIS_THREAD, ContactWork, concurrency_for, fault_result, run_contact_job
from bulk_export.jobs.earlier_results import EarlierResults
from bulk_export.jobs.item_fault import ItemFault
from bulk_export.jobs.progress import ReportProgress
from bulk_export.jobs.stored_objects import StoredObjects
from bulk_export.reasons import NOT_APPLICABLE, Reason
from bulk_export.staging.journal import FileKind, FileResult, Journal
from bulk_export.storage.base import Storage
from bulk_export.storage.reading import fetch, read
from bulk_export.transcripts.document import Transcript, TranscriptFormatError, parse
from bulk_export.transcripts.transcript_file import TranscriptFile

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_MAX_BYTES = 64 * 2**20
# A bucket is waited for. Between disks nothing is, and two threads that pass the interpreter's lock back and forth take
# twice the time of none.
_BETWEEN_DISKS = IN_THIS_THREAD
# A parsed transcript takes many times its bytes in memory, so large ones go one at a time.
_LARGE_BYTES = 4 * 2**20
Writer: TypeAlias = Callable[[Transcript], TranscriptFile]


@dataclass(slots=True)
class TranscriptCounts:
    """What became of a job's transcripts.

    Attributes:
        delivered: files in the destination, from this run of the job or an earlier one.
        bytes: their size.
        fixes: characters replaced in them.
        recycled: contacts that give no transcript because they are recycled.
        skipped: contacts without a transcript, by reason.
        failed: contacts whose transcript could not be delivered, by reason.
    """

    delivered: int = 0
    bytes: int = 0
    fixes: int = 0
    recycled: int = 0
    skipped: dict[Reason, int] = field(default_factory=dict)
    failed: dict[Reason, int] = field(default_factory=dict)

    def add(self, results: list[FileResult]) -> None:
        """Count one contact's results."""
        for result in results:
            if result.reason is None:
                self.delivered += 1
                self.bytes += result.bytes
                self.fixes += result.fixes
            else:
                counted = self.skipped if result.reason in NOT_APPLICABLE else self.failed
                counted[result.reason] = counted.get(result.reason, 0) + 1


@dataclass(frozen=True, slots=True)
class Contact:
    """What the job table says about a contact's transcript.

    An empty uri stands for none.
    """

    contact_id: int
    transcript_uri: str


def export_job_transcripts(
    contacts: pa.Table,
    *,
    job: int,
    format: str,
    addresses: Addresses,
    destination: Storage,
    run_prefix: str,
    journal: Journal,
    progress: ReportProgress,
    max_bytes: int = DEFAULT_MAX_BYTES,
    standing: StandingFolders = NO_FOLDERS,
) -> TranscriptCounts:
    """Deliver the transcripts of one job's contacts.

    Args:
        contacts: job table; `contact_id`, `recycled` and `transcript_uri` are read.
        job: its number, from 1.
        format: key of the delivered files' format.
        addresses: what the store's addresses may lead to.
        destination: the storage location.
        run_prefix: key of the run's directory in it.
        journal: results so far; every result is appended to it.
        progress: called at the start and after every part of the journal.
        max_bytes: largest stored transcript that is read.
        standing: directories of the store whose loss is an outage.

    Raises:
        LookupError: nobody has registered the format.
        TransientError: a storage is full or cannot be reached.
        RefusedError: the destination refuses writing, or the source refuses reading anything.
    """
    target = TRANSCRIPT_FORMATS[format]
    check_mounted(addresses.root)
    run_prefix = run_prefix.rstrip("/")
    folder = f"data/transcripts/{job:04d}"
    earlier = EarlierResults(journal, destination, run_prefix, folder)
    todo = _not_recycled(contacts)
    counts = TranscriptCounts(recycled=contacts.num_rows - len(todo))
    run_contact_job(
        _Export(
            # Not at the top: lxml is not loaded for JSON.
            write=resolve_name(target.writer),
            extension=target.extension,
            objects=StoredObjects(addresses, Reason.TRANSCRIPT_MISSING, Reason.TRANSCRIPT_CORRUPT, standing),
            destination=destination,
            run_prefix=run_prefix,
            folder=folder,
            earlier=earlier,
            max_bytes=max_bytes,
        ),
        todo,
        without_work=counts.recycled,
        earlier=earlier,
        journal=journal,
        concurrency=concurrency_for(addresses.root, destination, _BETWEEN_DISKS),
        count=counts.add,
        progress=progress,
        report_start=True,
    )
    return counts


def _not_recycled(contacts: pa.Table) -> list[Contact]:
    columns = (contacts[name].to_pylist() for name in ("contact_id", "recycled", "transcript_uri"))
    return [Contact(contact_id, uri or "") for contact_id, recycled, uri in zip(*columns, strict=True) if not recycled]


@dataclass(frozen=True, slots=True)
class _Export:
    """Exports one contact at a time, from several threads at once."""

    write: Writer
    extension: str
    objects: StoredObjects
    destination: Storage
    run_prefix: str
    folder: str
    earlier: EarlierResults
    max_bytes: int
    _large: Lock = field(default_factory=Lock)

    def result_kinds(self, contact: Contact) -> Collection[FileKind]:
        """One transcript, or why there is none."""
        return ("transcript",)

    def begin(self, contact: Contact) -> ContactWork:
        """Read, check and write one transcript."""
        path = f"{self.folder}/{contact.contact_id}.{self.extension}"
        try:
            return ContactWork([self._deliver(contact, path)])
        except ItemFault as fault:
            self._remove_leftover(path)
            return ContactWork([fault_result(contact.contact_id, "transcript", fault)])

    def _deliver(self, contact: Contact, path: str) -> FileResult:
        content, fixes, detail = self._content(contact)
        # What the journal knows is ours, and written anew where somebody has cut it; anything else is not overwritten.
        replace = self.earlier.may_replace(path)
        stored = self.destination.put(f"{self.run_prefix}/{path}", content, replace=replace)
        return FileResult(
            contact.contact_id, "transcript", None, detail, path, bytes=stored.bytes, sha256=stored.sha256, fixes=fixes
        )

    def _content(self, contact: Contact) -> tuple[bytes, int, str]:
        """The file to deliver, how many characters were replaced in it, and what else there is to say of it."""
        if not contact.transcript_uri:
            raise ItemFault(Reason.NO_TRANSCRIPT, "")
        storage, key = self.objects.locate(contact.transcript_uri)
        fetched = self.objects.read(storage, key, lambda: fetch(storage, key, min(self.max_bytes, _LARGE_BYTES)))
        if fetched.bytes > self.max_bytes:
            detail = f"{fetched.bytes} bytes, the limit is {self.max_bytes}"
            raise ItemFault(Reason.TRANSCRIPT_TOO_LARGE, detail)
        with nullcontext() if fetched.content is not None else self._large:
            content = fetched.content
            if content is None:
                content = self.objects.read(storage, key, lambda: read(storage, key))
            try:
                return self._converted(content, contact.contact_id)
            except TranscriptFormatError as error:
                raise ItemFault(Reason.TRANSCRIPT_CORRUPT, str(error)) from error

    def _converted(self, content: bytes, contact_id: int) -> tuple[bytes, int, str]:
        transcript = parse(content, contact_id)
        unknown = transcript.unknown_keys
        detail = f"{unknown} keys outside the transcript format left out" if unknown else ""
        file = self.write(transcript)
        return file.content, transcript.replaced + file.fixes, detail

    def _remove_leftover(self, path: str) -> None:
        # A file that an earlier, killed run put there before the store changed would belong to no result.
        if self.earlier.holds(path):
            with suppress(RefusedError):  # without the right to delete, the publishing stage says what is in the way
                self.destination.delete([f"{self.run_prefix}/{path}"])
