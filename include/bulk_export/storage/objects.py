"""Objects in a bucket, through obstore; what only S3 can do comes from `s3.py`.

Needs the rights to list and put, and to get where something is read; never to delete. Small objects are one PUT with
their checksum, larger ones a multipart upload, which appears when it is completed and not before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import chain, islice
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING, BinaryIO

import obstore

from bulk_export.storage.base import Entry, Fetched, Rights, Storage, Stored
from bulk_export.storage.content_types import content_type
from bulk_export.storage.keys import check_key, check_prefix
from bulk_export.storage.object_faults import object_faults
from bulk_export.storage.object_reads import ObjectReader
from bulk_export.storage.retry import Patience
from bulk_export.storage.rights import missing_rights, try_rights
from bulk_export.storage.s3_faults import NotOfferedError, PreconditionError, UploadGoneError
from bulk_export.storage.s3_uploads import Upload, abort_unfinished, upload
from bulk_export.storage.server_copy import server_copy
from bulk_export.storage.sources import Tally, parts_of
from bulk_export.storage.written_once import already_written, conflict

if TYPE_CHECKING:
    from obstore import Attributes, PutMode
    from obstore.store import ObjectStore

    from bulk_export.storage.s3 import S3Service

WHOLE_BYTES = 16 * 1024 * 1024  # larger objects go in parts
PART_BYTES = 8 * 1024 * 1024  # S3 takes 10,000 of them: 80 GB
_WRITER_PARTS_AT_ONCE = 3
_LARGE_AT_ONCE = 2  # each holds a few parts in memory
_DELETE_AT_ONCE = 1_000


class ObjectStorage:
    """A bucket and prefix; safe to use from several threads, not across a fork.

    Args:
        store: obstore's, opened at the prefix.
        uri: address of bucket and prefix.
        patience: with failing requests.
        s3: what S3 offers beyond; None for every other service.
    """

    def __init__(
        self, store: ObjectStore, uri: str, *, patience: Patience | None = None, s3: S3Service | None = None
    ) -> None:
        self._store = store
        self._uri = uri.rstrip("/")
        self._patience = patience or Patience()
        self.s3 = s3
        self._reader = ObjectReader(store, self._uri, self._patience, s3)
        self._large = Semaphore(_LARGE_AT_ONCE)
        self._takes_conditions = True

    @property
    def uri(self) -> str:
        """Absolute address of bucket and prefix."""
        return self._uri

    def put(self, key: str, content: bytes | Path | BinaryIO, *, replace: bool = True) -> Stored:
        """Write one object whole; `FileNotFoundError` when `content` is a path that is not there."""
        check_key(key)
        if isinstance(content, bytes) and len(content) <= WHOLE_BYTES:
            return self._put_whole(key, content, replace=replace)
        with closing(parts_of(content, PART_BYTES)) as parts:
            # An unreadable source is noticed before anything is sent.
            begun = [*islice(parts, WHOLE_BYTES // PART_BYTES + 1)]
            if sum(map(len, begun)) <= WHOLE_BYTES:
                return self._put_whole(key, begun[0] if len(begun) == 1 else b"".join(begun), replace=replace)
            with self._large:
                return self._put_parts(key, chain(_emptied(begun), parts), replace=replace)

    def copy(self, key: str, source: Storage, source_key: str, fetched: Fetched) -> Stored | None:
        """Have the service copy; None where it cannot, or where the object has to pass through this machine."""
        check_key(key)
        check_key(source_key)
        return server_copy(self, key, source, source_key, fetched) if isinstance(source, ObjectStorage) else None

    def fetch(self, key: str, max_bytes: int) -> Fetched:
        """The object's size and, when it is not larger than that, its bytes, in one request."""
        check_key(key)
        return self._reader.fetch(key, max_bytes)

    def read_range(self, key: str, start: int, length: int, version: str = "") -> bytes:
        """A part of the object; `TransientError` when it is not the version any more."""
        check_key(key)
        return self._reader.read_range(key, start, length, version)

    def read(self, key: str, *, max_bytes: int | None = None) -> bytes:
        """The object's bytes, at most `max_bytes` of them."""
        with self.open(key) as stream:
            return stream.read() if max_bytes is None else stream.read(max_bytes)

    def open(self, key: str) -> BinaryIO:
        """The object as a seekable binary stream; the caller closes it."""
        check_key(key)
        return self._reader.open(key)

    def size(self, key: str) -> int:
        """Bytes of the object."""
        check_key(key)
        return self._reader.size(key)

    def checksum(self, key: str) -> str | None:
        """SHA-256 the service keeps of the object; None unless it is S3, asking is allowed, and there is one."""
        check_key(key)
        described = self.s3.describe(key) if self.s3 else None
        return described.sha256 if described else None

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every object whose key starts with `prefix`, in key order."""
        from obstore.store import GCSStore

        check_prefix(prefix)
        # These two promise the order; elsewhere (Azure with directories, servers that only speak S3) it is made.
        if isinstance(self._store, GCSStore) or (self.s3 is not None and self.s3.is_amazon):
            return self._reader.entries(prefix)
        return iter(sorted(self._reader.entries(prefix), key=lambda entry: entry.key))

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, a thousand to a request; absent ones are fine."""
        remaining = iter(keys)
        while batch := [*islice(remaining, _DELETE_AT_ONCE)]:
            for key in batch:
                check_key(key)
            self._patience.persist(lambda batch=batch: self._delete(batch))  # type: ignore[misc]

    def path(self, key: str) -> None:
        """Nothing here is a file on this machine."""
        if key:
            check_key(key.removesuffix("/"))

    def make_durable(self, prefix: str) -> None:
        """An acknowledged PUT is durable already."""
        check_prefix(prefix)

    def check_rights(self) -> Rights:
        """Try listing, putting, getting and deleting with an object of its own."""
        return try_rights(self)

    def check_writable(self, *, reading: bool = False) -> None:
        """Refuse a bucket that cannot be listed or written to, naming what is missing."""
        missing_rights(self, self.check_rights(), ("list", "put", "get") if reading else ("list", "put"))

    def sweep(self, prefix: str = "") -> int:
        """Abort the uploads that killed writers left unfinished, where S3 lets it; the others are invisible."""
        check_prefix(prefix)
        return abort_unfinished(self.s3, prefix) if self.s3 else 0

    def _put_whole(self, key: str, body: bytes, *, replace: bool) -> Stored:
        tally = Tally()
        tally.add(body)
        stored = tally.stored()

        def once() -> None:
            if replace or not self._send_new(key, body):
                self._send(key, body)

        def settle() -> None:
            try:
                once()
            except FileExistsError:
                etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
                if not already_written(self, key, stored, etag):
                    self._send(key, body)

        self._patience.persist(settle)
        return stored

    def _send_new(self, key: str, body: bytes) -> bool:
        """Send on the condition that nothing is there; False where a service does not know conditions."""
        if not self._takes_conditions:
            self._refuse_taken(key)
            return False
        try:
            self._send(key, body, mode="create")
        except NotImplementedError:
            self._takes_conditions = False
            return self._send_new(key, body)
        return True

    def _send(self, key: str, body: bytes, *, mode: PutMode = "overwrite") -> None:
        attributes: Attributes = {"Content-Type": content_type(key)}
        with object_faults("write", f"{self._uri}/{key}"):
            obstore.put(self._store, key, body, attributes=attributes, mode=mode, use_multipart=False)

    def _refuse_taken(self, key: str) -> None:
        if any(entry.key == key for entry in self.list(key)):
            raise FileExistsError(key)

    def _put_parts(self, key: str, pieces: Iterator[bytes], *, replace: bool) -> Stored:
        tally = Tally()

        def counted() -> Iterator[bytes]:
            for piece in pieces:
                tally.add(piece)
                yield piece

        if self.s3 is None:
            self._write_parts(key, counted())
            return tally.stored()
        with upload(self.s3, key) as begun:
            begun.send(counted())
            self._complete(begun, key, tally, replace=replace)
        return tally.stored()

    def _complete(self, begun: Upload, key: str, tally: Tally, *, replace: bool) -> None:
        try:
            begun.complete(replace=replace)
        except PreconditionError:
            if already_written(self, key, tally.stored(), begun.etag):
                begun.abort()
            else:
                begun.complete(replace=True)
        except UploadGoneError:  # completed by a try whose answer was lost
            if not already_written(self, key, tally.stored(), begun.etag):
                raise conflict(f"{self._uri}/{key}", "an unfinished upload was removed by somebody else") from None
        except NotOfferedError:  # a service without conditions
            self._refuse_taken(key)
            begun.complete(replace=True)

    def _write_parts(self, key: str, pieces: Iterator[bytes]) -> None:
        """The same through obstore, whose writer knows no condition: an earlier attempt's object is replaced."""
        where = f"{self._uri}/{key}"
        with object_faults("write", where):
            writer = obstore.open_writer(
                self._store,
                key,
                attributes={"Content-Type": content_type(key)},
                buffer_size=PART_BYTES,
                max_concurrency=_WRITER_PARTS_AT_ONCE,
            )
        # No `with`, which would complete the object although its source broke: a writer left alone never does.
        # No iterator handed to obstore.put either: it would be read inside its event loop, where a source that
        # is an object itself cannot be.
        for piece in pieces:
            with object_faults("write", where):
                writer.write(piece)
        with object_faults("write", where):
            writer.close()

    def _delete(self, batch: Sequence[str]) -> None:
        with object_faults("delete", f"{self._uri}/{batch[0]}"):
            try:
                obstore.delete(self._store, batch)
            except FileNotFoundError:  # a store without a batch request stops at the first absent one
                for key in batch:
                    with suppress(FileNotFoundError):
                        obstore.delete(self._store, key)


def _emptied(parts: list[bytes]) -> Iterator[bytes]:
    """The parts, each let go as soon as it is taken."""
    while parts:
        yield parts.pop(0)
