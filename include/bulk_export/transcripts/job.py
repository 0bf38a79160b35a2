"""All transcripts of one job: read from the store, check, write JSON or XML, keep the journal.

A contact ends in exactly one way:

| contact | result |
|---|---|
| recycled | none: it has no transcript to give, and its own status says why |
| no `transcript_uri` | NO_TRANSCRIPT |
| object absent or refused, or an address that leads nowhere or out of the store | TRANSCRIPT_MISSING |
| object larger than `max_bytes` | TRANSCRIPT_TOO_LARGE, unread |
| torn, empty, not of the format, of another contact | TRANSCRIPT_CORRUPT |
| anything else | delivered |

Storage that is down, a store that refuses everything (`denials.py`) and a destination that refuses anything end the job
with that error; the journal keeps what was done before. A second run goes on from there: what is delivered and lies in
the destination with its size is left alone, what was faulty is tried again in case the store has been fixed. The
journal may then hold two results for a contact: the last one counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Literal

from bulk_export.contacts.addresses import AddressError, Resolve, check_mounted, locate
from bulk_export.contacts.denials import Denials
from bulk_export.errors import DefinitionError, RefusedError
from bulk_export.reasons import NOT_APPLICABLE, Reason
from bulk_export.staging.journal import FileResult, Journal
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import LocalPaths
from bulk_export.storage.reading import fetch, read
from bulk_export.transcripts.document import TranscriptFormatError, parse

if TYPE_CHECKING:
    import pyarrow as pa

DEFAULT_MAX_BYTES = 64 * 2**20
_JOURNAL_EVERY = 500
# A bucket is waited for. Between disks nothing is, and two threads that pass the interpreter's lock back and forth take
# twice the time of none.
_REMOTE_THREADS = 24
# A parsed transcript takes many times its bytes in memory, so large ones go one at a time.
_LARGE_BYTES = 4 * 2**20


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class _Wanted:
    contact_id: int
    uri: str | None


def export_job_transcripts(
    contacts: pa.Table,
    *,
    job: int,
    format: Literal["json", "xml"],
    source: Storage,
    destination: Storage,
    run_prefix: str,
    journal: Journal,
    resolve: Resolve,
    max_bytes: int = DEFAULT_MAX_BYTES,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> TranscriptCounts:
    """Deliver the transcripts of one job's contacts.

    Args:
        contacts: job table; `contact_id`, `recycled` and `transcript_uri` are read.
        job: its number, from 1.
        format: of the delivered files.
        source: root of the store's objects, to which relative addresses belong.
        destination: the storage location.
        run_prefix: key of the run's directory in it.
        journal: results so far; every result is appended to it.
        resolve: for addresses outside of the source.
        max_bytes: largest stored transcript that is read.
        progress: told after every part of the journal how many contacts are done, of how many.

    Raises:
        TransientError: a storage is full or cannot be reached.
        RefusedError: the destination refuses writing, or the source refuses reading anything.
    """
    check_mounted(source)
    total = contacts.num_rows
    recycled, wanted = _wanted(contacts)
    folder = f"data/transcripts/{job:04d}"
    results = {result.contact_id: result for result in journal.read() if result.kind == "transcript"}
    worker = _Worker(
        format=format,
        source=source,
        destination=destination,
        folder=folder,
        run_prefix=run_prefix.rstrip("/"),
        resolve=resolve,
        max_bytes=max_bytes,
        present={entry.key: entry.bytes for entry in destination.list(f"{run_prefix.rstrip('/')}/{folder}/")},
        journaled=frozenset(result.path for result in results.values() if result.path),
    )
    todo = [one for one in wanted if not worker.is_done(results.get(one.contact_id))]
    done = total - len(todo)
    progress(done, total)
    local = isinstance(source, LocalPaths) and isinstance(destination, LocalPaths)
    with ExitStack() as stack:
        export_all = map if local else stack.enter_context(_threads()).map
        for start in range(0, len(todo), _JOURNAL_EVERY):
            new: list[FileResult] = []
            try:
                for result in export_all(worker.export, todo[start : start + _JOURNAL_EVERY]):
                    if result != results.get(result.contact_id):
                        new.append(result)
                        results[result.contact_id] = result
                    done += 1
            finally:
                journal.append(new)  # also when storage fails half-way: what was written need not be written again
            progress(done, total)
    return _count(recycled, [results[one.contact_id] for one in wanted])


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(_REMOTE_THREADS, thread_name_prefix="transcripts")


def _wanted(contacts: pa.Table) -> tuple[int, list[_Wanted]]:
    rows = zip(
        contacts["contact_id"].to_pylist(),
        contacts["recycled"].to_pylist(),
        contacts["transcript_uri"].to_pylist(),
        strict=True,
    )
    wanted = [_Wanted(contact_id, uri or None) for contact_id, recycled, uri in rows if not recycled]
    return contacts.num_rows - len(wanted), wanted


class _FaultError(Exception):
    """A transcript cannot be delivered: an item with a reason, never a failed job."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def _missing(detail: str) -> _FaultError:
    return _FaultError(Reason.TRANSCRIPT_MISSING, detail)


@dataclass(slots=True)
class _Worker:
    """Exports one contact at a time, from several threads at once."""

    format: Literal["json", "xml"]
    source: Storage
    destination: Storage
    folder: str
    run_prefix: str
    resolve: Resolve
    max_bytes: int
    present: dict[str, int]
    journaled: frozenset[str]
    _denials: Denials = field(default_factory=Denials)
    _large: Lock = field(default_factory=Lock)

    def is_done(self, result: FileResult | None) -> bool:
        """Whether an earlier run's result still stands."""
        if result is None or (result.reason and result.reason not in NOT_APPLICABLE):
            return False
        return not result.path or self.present.get(f"{self.run_prefix}/{result.path}") == result.bytes

    def export(self, wanted: _Wanted) -> FileResult:
        """Read, check and write one transcript."""
        contact_id = wanted.contact_id
        path = f"{self.folder}/{contact_id}.{self.format}"
        if wanted.uri is None:
            return self._withheld(contact_id, path, Reason.NO_TRANSCRIPT, "")
        try:
            content, fixes, detail = self._content(wanted.uri, contact_id)
        except _FaultError as fault:
            return self._withheld(contact_id, path, fault.reason, fault.detail)
        # What the journal knows is ours, and repaired where somebody has cut it; anything else is not overwritten.
        stored = self.destination.put(f"{self.run_prefix}/{path}", content, replace=path in self.journaled)
        return FileResult(
            contact_id, "transcript", None, detail, path, bytes=stored.bytes, sha256=stored.sha256, fixes=fixes
        )

    def _content(self, uri: str, contact_id: int) -> tuple[bytes, int, str]:
        """The file to deliver, how many characters were replaced in it, and what else there is to say of it."""
        try:
            storage, key = locate(uri, self.source, self.resolve)
            fetched = fetch(storage, key, min(self.max_bytes, _LARGE_BYTES))
            self._denials.note_readable()
            if fetched.bytes > self.max_bytes:
                raise _FaultError(Reason.TRANSCRIPT_TOO_LARGE, f"{fetched.bytes} bytes, the limit is {self.max_bytes}")
            with nullcontext() if fetched.content is not None else self._large:
                stored = fetched.content if fetched.content is not None else read(storage, key)
                return self._converted(stored, contact_id)
        except AddressError as error:
            raise _missing(f"address {error}") from error
        except FileNotFoundError as error:
            raise _missing("no such object") from error
        except DefinitionError as error:  # the storage does not take such a key
            raise _missing(error.message) from error
        except RefusedError as error:
            raise _missing(self._denials.excuse(error)) from error
        except TranscriptFormatError as error:
            raise _FaultError(Reason.TRANSCRIPT_CORRUPT, str(error)) from error

    def _converted(self, content: bytes, contact_id: int) -> tuple[bytes, int, str]:
        transcript = parse(content, contact_id)
        unknown = transcript.unknown_keys
        detail = f"{unknown} keys outside the transcript format left out" if unknown else ""
        if self.format == "json":
            from bulk_export.transcripts.as_json import as_json

            return as_json(transcript), transcript.replaced, detail
        from bulk_export.transcripts.as_xml import as_xml

        file = as_xml(transcript)
        return file.content, transcript.replaced + file.fixes, detail

    def _withheld(self, contact_id: int, path: str, reason: Reason, detail: str) -> FileResult:
        # A file that an earlier, killed run put there before the store changed would belong to no result.
        if (key := f"{self.run_prefix}/{path}") in self.present:
            with suppress(RefusedError):  # without the right to delete, the publishing stage says what is in the way
                self.destination.delete([key])
        return FileResult(contact_id, "transcript", reason, detail)


def _count(recycled: int, results: Sequence[FileResult]) -> TranscriptCounts:
    delivered = [result for result in results if result.reason is None]
    reasons = Counter(result.reason for result in results if result.reason)
    return TranscriptCounts(
        delivered=len(delivered),
        bytes=sum(result.bytes for result in delivered),
        fixes=sum(result.fixes for result in delivered),
        recycled=recycled,
        skipped={reason: count for reason, count in reasons.items() if reason in NOT_APPLICABLE},
        failed={reason: count for reason, count in reasons.items() if reason not in NOT_APPLICABLE},
    )
