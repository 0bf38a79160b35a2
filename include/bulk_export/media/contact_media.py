"""Deliver one contact's media: find, judge, then copy, or hand over to a converting process.

Two steps, because copies and conversions run on different threads: `begin` does all that is quick and says what is
left, `finish` converts. Whatever is wrong with a file becomes a result with a reason.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bulk_export.contacts.addresses import AddressError, Resolve, locate
from bulk_export.contacts.denials import Denials
from bulk_export.definitions.models import MediaFormats
from bulk_export.errors import DefinitionError, RefusedError, TransientError
from bulk_export.media.containers.sniffed import Sniffed
from bulk_export.media.conversion import Conversion
from bulk_export.media.faults import MediaFaultError, MediaLimits, corrupt, missing
from bulk_export.media.formats import FORMATS, stored_extension
from bulk_export.media.plan import Copy, Probed, Skip, Source, Unusable, Wish, plan, wishes
from bulk_export.media.pool import Converters
from bulk_export.media.sniff import sniff
from bulk_export.media.throttle import Throttle
from bulk_export.media.transfer import Taken, local_copy, put, send, take
from bulk_export.reasons import Reason
from bulk_export.staging.journal import FileResult
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import LocalPaths


@dataclass(frozen=True, slots=True)
class Contact:
    """What the job table says about a contact's media; empty uris for none, 0 bytes for unknown."""

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
    """A wish that needs a converting process."""

    wish: Wish
    taken: dict[Source, Taken]
    sniffed: dict[Source, Sniffed]


@dataclass(frozen=True, slots=True)
class Progress:
    """A contact under way: what has become of its files, and what is left."""

    contact: Contact
    results: list[FileResult] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)


@dataclass(slots=True)
class Delivery:
    """The rules and places of one job; safe to use from several threads.

    Attributes:
        formats: what was asked for.
        source: root of the contact store's objects.
        destination: the storage location.
        run_prefix: the run's directory in it.
        folder: of the job's media inside of that, such as `data/media/0001`.
        scratch: directory for unfinished files.
        limits: what one file may take.
        converters: processes for conversions.
        resolve: for addresses outside of the source.
        throttle: what may be read from the source; None for all it gives.
        journaled: what earlier attempts delivered, as paths in the run's directory: ours, so it may be replaced.
    """

    formats: MediaFormats
    source: Storage
    destination: Storage
    run_prefix: str
    folder: str
    scratch: Path
    limits: MediaLimits
    converters: Converters
    resolve: Resolve | None = None
    throttle: Throttle | None = None
    journaled: frozenset[str] = frozenset()
    _denials: Denials = field(default_factory=Denials)

    @property
    def is_local(self) -> bool:
        """Whether every byte stays on this machine's disks."""
        return isinstance(self.source, LocalPaths) and isinstance(self.destination, LocalPaths)

    def wanted(self, contact: Contact) -> tuple[Wish, ...] | Skip:
        """Which files the contact shall get."""
        has_audio, has_screen = bool(contact.audio_uri), bool(contact.screen_uri)
        return wishes(contact.contact_type, self.formats, has_audio=has_audio, has_screen=has_screen)

    def begin(self, contact: Contact) -> Progress:
        """Copy what can be copied."""
        progress, wanted = Progress(contact), self.wanted(contact)
        if isinstance(wanted, Skip):
            progress.results.append(FileResult(contact.contact_id, "media", wanted.reason))
            return progress
        for wish in wanted:
            try:
                done = self._begin(contact, wish)
            except MediaFaultError as fault:
                done = FileResult(contact.contact_id, wish.kind, fault.reason, fault.detail)
            if isinstance(done, Pending):
                progress.pending.append(done)
            else:
                progress.results.append(done)
        return progress

    def finish(self, progress: Progress) -> Progress:
        """Convert what is left."""
        for pending in progress.pending:
            try:
                result = self._convert(progress.contact, pending)
            except MediaFaultError as fault:
                result = FileResult(progress.contact.contact_id, pending.wish.kind, fault.reason, fault.detail)
            except FileNotFoundError:
                detail = "the stored file is not there any more"
                result = FileResult(progress.contact.contact_id, pending.wish.kind, Reason.MEDIA_MISSING, detail)
            progress.results.append(result)
        progress.pending.clear()
        return progress

    def _begin(self, contact: Contact, wish: Wish) -> FileResult | Pending:
        taken: dict[Source, Taken] = {}
        sniffed: dict[Source, Sniffed] = {}
        for name in wish.sources:
            uri, noted_bytes = contact.stored(name)
            try:
                taken[name] = self._take(uri)
                sniffed[name] = sniff(taken[name].window, noted_bytes)
                if sniffed[name].fault:
                    raise corrupt(sniffed[name].fault)
            except MediaFaultError as fault:
                raise MediaFaultError(fault.reason, f"{name}: {fault.detail}") from fault
        if len(taken) == 1:
            (name,) = taken
            look = sniffed[name]
            known = look.codecs_known or (wish.format not in FORMATS and bool(look.container))
            streams = Probed(look.container, look.audio, look.video)
            if known:
                decided = plan(wish, *((streams, None) if name == "audio" else (None, streams)))
                if isinstance(decided, Unusable):
                    raise corrupt(decided.detail)
                if isinstance(decided, Copy):
                    return self._copy(contact, wish, taken[name], look)
        # Bytes are read again by the process: holding thousands of waiting files in memory would cost more.
        return Pending(wish, {name: file.without_bytes() for name, file in taken.items()}, sniffed)

    def _take(self, uri: str) -> Taken:
        try:
            storage, key = locate(uri, self.source, self.resolve)
        except AddressError as error:
            raise missing(f"address {error}") from error
        try:
            taken = take(storage, key, self.limits)
        except FileNotFoundError as error:
            raise missing(f"no such object: {key}") from error
        except DefinitionError as error:  # the storage does not take such a key
            raise missing(error.message) from error
        except RefusedError as error:
            raise missing(f"{self._denials.excuse(error)}: {key}") from error
        self._denials.note_readable()
        if self.throttle is not None:
            self.throttle.spend(taken.window.size)
        return taken

    def _convert(self, contact: Contact, pending: Pending) -> FileResult:
        wish = pending.wish
        name = f"{contact.contact_id}{wish.suffix}"
        into = self.scratch / f"{name}.out"
        try:
            with ExitStack() as stack:
                paths = {
                    source: stack.enter_context(local_copy(taken, self.scratch / f"{name}.{source}"))
                    for source, taken in pending.taken.items()
                }
                conversion = Conversion(wish, paths.get("audio"), paths.get("screen"), into, self.limits)
                outcome = self.converters.convert(conversion)
            if outcome.verdict == "failed":
                raise TransientError("SCRATCH_FAILED", outcome.detail, hint="Make room for scratch files, then retry.")
            if outcome.verdict == "fault":
                raise MediaFaultError(outcome.reason or Reason.MEDIA_CORRUPT, outcome.detail)
            if outcome.verdict == "copy":
                source = wish.sources[0]
                return self._copy(contact, wish, pending.taken[source], pending.sniffed[source])
            path = f"{self.folder}/{name}.{FORMATS[wish.format].extension}"
            stored = put(self.destination, f"{self.run_prefix}/{path}", into)
            return FileResult(contact.contact_id, wish.kind, path=path, bytes=stored.bytes, sha256=stored.sha256)
        finally:
            into.unlink(missing_ok=True)

    def _copy(self, contact: Contact, wish: Wish, taken: Taken, look: Sniffed) -> FileResult:
        if wish.format in FORMATS:
            extension = FORMATS[wish.format].extension
        else:
            extension = stored_extension(look.container, contact.stored(wish.sources[0])[0])
        path = f"{self.folder}/{contact.contact_id}{wish.suffix}.{extension}"
        stored = send(taken, self.destination, f"{self.run_prefix}/{path}", replace=path in self.journaled)
        return FileResult(contact.contact_id, wish.kind, path=path, bytes=stored.bytes, sha256=stored.sha256)
