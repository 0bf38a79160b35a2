"""Deliver one contact's media: find, judge, then copy or convert.

Two steps, because copies and conversions run on different threads: `begin` does all that is quick and says what is
left, the rest converts. Whatever is wrong with a file becomes a result with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from bulk_export.definitions.models import MediaFormats
from bulk_export.errors import UnreadableError, error_of
from bulk_export.jobs.contact_job import ContactWork, fault_result
from bulk_export.jobs.earlier_results import EarlierResults
from bulk_export.jobs.item_fault import ItemFault
from bulk_export.jobs.stored_objects import StoredObjects
from bulk_export.media.containers.sniffed import Sniffed
from bulk_export.media.conversion import Conversion
from bulk_export.media.doubts import doubt_of, doubt_of_media
from bulk_export.media.faults import MediaLimits, corrupt
from bulk_export.media.plan import Copy, Probed, RequestedFile, Skip, Source, Unusable, plan, requested_files
from bulk_export.media.pool import Converters
from bulk_export.media.sniff import sniff
from bulk_export.media.stored_extension import stored_extension
from bulk_export.media.throttle import Throttle
from bulk_export.media.transfer import SourceFile, local_copy, open_source, send
from bulk_export.reasons import Reason
from bulk_export.staging.journal import FileKind, FileResult
from bulk_export.storage.base import Storage
from bulk_export.storage.faults import scratch_faults

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Contact:
    """What the job table says about a contact's media.

    An empty uri stands for none, 0 bytes for unknown.
    """

    contact_id: int
    contact_type: str
    audio_uri: str
    screen_uri: str
    audio_bytes: int
    screen_bytes: int

    def stored(self, source: Source) -> tuple[str, int]:
        """Uri and noted size of its audio or screen."""
        return (self.audio_uri, self.audio_bytes) if source == "audio" else (self.screen_uri, self.screen_bytes)


@dataclass(frozen=True, slots=True)
class Pending:
    """A requested file that needs a converting process.

    Attributes:
        requested: the file.
        sources: the stored files it is made of.
        sniffed: what those look like.
    """

    requested: RequestedFile
    sources: dict[Source, SourceFile]
    sniffed: dict[Source, Sniffed]


@dataclass(frozen=True, slots=True)
class MediaJobContext:
    """The rules and places of one job, for several threads.

    Attributes:
        formats: what was asked for.
        objects: of the contact store.
        destination: the storage location.
        run_prefix: the run's directory in it.
        folder: of the job's media inside of that, such as `data/media/0001`.
        earlier: what earlier attempts delivered: ours, so it may be replaced.
        scratch: directory for unfinished files.
        limits: what one file may take.
        converters: processes for conversions.
        throttle: what may be read from the source; None for all it gives.
    """

    formats: MediaFormats
    objects: StoredObjects
    destination: Storage
    run_prefix: str
    folder: str
    earlier: EarlierResults
    scratch: Path
    limits: MediaLimits
    converters: Converters
    throttle: Throttle | None = None

    def result_kinds(self, contact: Contact) -> Collection[FileKind]:
        """Kinds of the results the contact shall have."""
        requested = self._requested(contact)
        return {"media"} if isinstance(requested, Skip) else {file.kind for file in requested}

    def begin(self, contact: Contact) -> ContactWork:
        """Copy what can be copied."""
        requested = self._requested(contact)
        if isinstance(requested, Skip):
            return ContactWork([FileResult(contact.contact_id, "media", requested.reason)])
        results: list[FileResult] = []
        pending: list[Pending] = []
        for file in requested:
            done = self._or_fault(contact, file, partial(self._copy_if_possible, contact, file))
            if isinstance(done, Pending):
                pending.append(done)
            else:
                results.append(done)
        return ContactWork(results, partial(self._convert_all, contact, pending) if pending else None)

    def _requested(self, contact: Contact) -> tuple[RequestedFile, ...] | Skip:
        has_audio, has_screen = bool(contact.audio_uri), bool(contact.screen_uri)
        return requested_files(contact.contact_type, self.formats, has_audio=has_audio, has_screen=has_screen)

    def _or_fault(self, contact: Contact, file: RequestedFile, make: Callable[[], Made]) -> Made | FileResult:
        try:
            return make()
        except ItemFault as fault:
            return fault_result(contact.contact_id, file.kind, fault)
        except UnreadableError as error:  # whatever is delivered of it is of no use
            uris = ", ".join(contact.stored(source)[0] for source in file.sources)
            return fault_result(contact.contact_id, file.kind, self.objects.cannot_read(error, uris))
        except FileNotFoundError:
            for source in file.sources:
                self.objects.standing.check(*self.objects.locate(contact.stored(source)[0]))
            gone = ItemFault(Reason.MEDIA_MISSING, "the stored file is not there any more")
            return fault_result(contact.contact_id, file.kind, gone)

    def _convert_all(self, contact: Contact, pending: list[Pending]) -> list[FileResult]:
        return [self._or_fault(contact, one.requested, partial(self._convert, contact, one)) for one in pending]

    def _copy_if_possible(self, contact: Contact, file: RequestedFile) -> FileResult | Pending:
        sources: dict[Source, SourceFile] = {}
        sniffed: dict[Source, Sniffed] = {}
        for name in file.sources:
            uri, noted_bytes = contact.stored(name)
            try:
                sources[name] = self._open(uri)
                sniffed[name] = sniff(sources[name].window, noted_bytes)
                if file.format.as_stored:
                    return self._deliver_as_stored(contact, file, sources[name], sniffed[name])
                if sniffed[name].fault:
                    raise corrupt(sniffed[name].fault)
            except ItemFault as fault:
                raise ItemFault(fault.reason, f"{name}: {fault.detail}") from fault
        if len(sources) == 1:
            (name,) = sources
            look = sniffed[name]
            streams = Probed(look.container, look.audio, look.video)
            if look.codecs_known:
                decided = plan(file, *((streams, None) if name == "audio" else (None, streams)))
                if isinstance(decided, Unusable):
                    raise corrupt(decided.detail)
                if isinstance(decided, Copy):
                    return self._copy(contact, file, sources[name], look)
        # Bytes are read again by the process: holding thousands of waiting files in memory would cost more.
        return Pending(file, {name: source.without_bytes() for name, source in sources.items()}, sniffed)

    def _deliver_as_stored(
        self, contact: Contact, file: RequestedFile, source: SourceFile, look: Sniffed
    ) -> FileResult | Pending:
        """Copy a stored file; what nothing proves whole is delivered and said to be so."""
        (name,) = file.sources
        uri, noted_bytes = contact.stored(name)
        doubt = doubt_of(look, uri, source.window.size, noted_bytes)
        if doubt is None:  # only a media library can tell whether it is media
            return Pending(file, {name: source.without_bytes()}, {name: look})
        return self._copy(contact, file, source, look, doubt)

    def _open(self, uri: str) -> SourceFile:
        storage, key = self.objects.locate(uri)
        opened = self.objects.read(storage, key, lambda: open_source(storage, key, self.limits))
        if self.throttle is not None:
            self.throttle.spend(opened.window.size)
        return opened

    def _convert(self, contact: Contact, pending: Pending) -> FileResult:
        file = pending.requested
        name = f"{contact.contact_id}{file.suffix}"
        into = self.scratch / f"{name}.out"
        try:
            with ExitStack() as stack:
                paths = {
                    source: stack.enter_context(local_copy(stored, self.scratch / f"{name}.{source}"))
                    for source, stored in pending.sources.items()
                }
                conversion = Conversion(file, paths.get("audio"), paths.get("screen"), into, self.limits)
                outcome = self.converters.convert(conversion)
            if outcome.verdict == "failed":
                raise error_of(outcome.code, outcome.detail)
            if outcome.verdict == "fault":
                raise ItemFault(outcome.reason or Reason.MEDIA_CORRUPT, outcome.detail)
            if outcome.verdict == "copy":
                source = file.sources[0]
                look, stored_file = pending.sniffed[source], pending.sources[source]
                noted_bytes = contact.stored(source)[1]
                doubt = doubt_of_media(look, stored_file.window.size, noted_bytes) if file.format.as_stored else ""
                return self._copy(contact, file, stored_file, look, doubt)
            path = f"{self.folder}/{name}.{file.format.extension}"
            with scratch_faults(into):
                stored = self.destination.put(f"{self.run_prefix}/{path}", into)
            return FileResult(
                contact.contact_id, file.kind, None, outcome.detail, path, bytes=stored.bytes, sha256=stored.sha256
            )
        finally:
            with suppress(OSError):  # it goes with the job's directory
                into.unlink()

    def _copy(
        self, contact: Contact, file: RequestedFile, source: SourceFile, look: Sniffed, doubt: str = ""
    ) -> FileResult:
        extension = file.format.extension
        if file.format.as_stored:
            extension = stored_extension(look.container, contact.stored(file.sources[0])[0])
        path = f"{self.folder}/{contact.contact_id}{file.suffix}.{extension}"
        key = f"{self.run_prefix}/{path}"
        stored = send(source, self.destination, key, replace=self.earlier.may_replace(path))
        reason, detail = (Reason.MEDIA_DOUBTFUL, f"{file.sources[0]}: {doubt}") if doubt else (None, "")
        return FileResult(contact.contact_id, file.kind, reason, detail, path, bytes=stored.bytes, sha256=stored.sha256)
