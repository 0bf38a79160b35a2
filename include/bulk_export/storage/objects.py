"""Objects in a bucket of any service, through obstore.

What only S3 can do is `s3.py`.

Needs the rights to list and put, and to get where something is read; never to delete. Small objects are one PUT with
their checksum, larger ones a multipart upload, which appears when it is completed and not before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import chain, islice
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING, BinaryIO

import obstore

from bulk_export.storage.base import ByteRange, Entry, Fetched, Stored
from bulk_export.storage.capabilities import Guarded, WholeReads
from bulk_export.storage.content_types import content_type
from bulk_export.storage.keys import check_key, check_prefix
from bulk_export.storage.object_faults import object_faults
from bulk_export.storage.object_reads import ObjectReader
from bulk_export.storage.read_requests import ObstoreRequests, ReadRequests
from bulk_export.storage.retry import RetryPolicy
from bulk_export.storage.sources import Tally, parts_of
from bulk_export.storage.written_once import already_written

if TYPE_CHECKING:
    from obstore import Attributes, PutMode
    from obstore.store import ObjectStore

    from bulk_export.storage.s3_service import Described

WHOLE_BYTES = 16 * 1024 * 1024  # larger objects go in parts
PART_BYTES = 8 * 1024 * 1024  # S3 takes 10,000 of them: 80 GB
_WRITER_PARTS_AT_ONCE = 3
_LARGE_AT_ONCE = 2  # each holds a few parts in memory
_DELETE_AT_ONCE = 1_000


class ObjectStorage(WholeReads, Guarded):
    """A bucket and prefix.

    Safe to use from several threads, not across a fork.

    Args:
        store: obstore's, opened at the prefix.
        uri: address of bucket and prefix.
        retry_policy: for failing requests.
        describe: the checksums that the service keeps of a key in a version, where it keeps any.
        ordered: whether the service lists in key order.
        exactly: reads objects by keys that are no paths, where the service can be asked for them.
    """

    def __init__(
        self,
        store: ObjectStore,
        uri: str,
        *,
        retry_policy: RetryPolicy | None = None,
        describe: Callable[[str, str], Described | None] | None = None,
        ordered: bool = False,
        exactly: ReadRequests | None = None,
    ) -> None:
        self._store = store
        self._uri = uri.rstrip("/")
        self._retry_policy = retry_policy or RetryPolicy()
        self._reader = ObjectReader(ObstoreRequests(store, self._uri), self._uri, self._retry_policy, describe, exactly)
        self._ordered = ordered
        self._large = Semaphore(_LARGE_AT_ONCE)
        self._takes_conditions = True

    @property
    def uri(self) -> str:
        """Absolute address of bucket and prefix."""
        return self._uri

    def put(self, key: str, content: bytes | Path | BinaryIO, *, replace: bool = True) -> Stored:
        """Write one object whole.

        Raises:
            FileNotFoundError: `content` is a path that is not there.
        """
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

    def fetch(self, key: str, max_bytes: int) -> Fetched:
        """Size of the object, and its bytes up to `max_bytes`.

        One request brings both.
        """
        return self._reader_of(key).fetch(key, max_bytes)

    def open(self, key: str, byte_range: ByteRange | None = None) -> BinaryIO:
        """The object, or a range of it, as a seekable binary stream."""
        return self._reader_of(key).open(key, byte_range)

    def find(self, key: str) -> Entry | None:
        """Size and version of the object, None when it is absent."""
        return self._reader_of(key).find(key)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every object whose key starts with `prefix`, in key order."""
        check_prefix(prefix)
        found = self._reader.entries(prefix)
        return found if self._ordered else iter(sorted(found, key=lambda entry: entry.key))

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, a thousand to a request; absent ones are fine."""
        remaining = iter(keys)
        while batch := [*islice(remaining, _DELETE_AT_ONCE)]:
            for key in batch:
                check_key(key)
            self._retry_policy.call(lambda batch=batch: self._delete(batch))  # type: ignore[misc]

    def _reader_of(self, key: str) -> ObjectReader:
        """What reads an object with this key."""
        check_key(key)
        return self._reader

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

        self._retry_policy.call(settle)
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
        self.before_change()
        with object_faults("write", f"{self._uri}/{key}"):
            obstore.put(self._store, key, body, attributes=attributes, mode=mode, use_multipart=False)

    def _refuse_taken(self, key: str) -> None:
        if self.find(key) is not None:
            raise FileExistsError(key)

    def _put_parts(self, key: str, pieces: Iterator[bytes], *, replace: bool) -> Stored:
        """Write through obstore's writer, which knows no condition: an earlier attempt's object is replaced."""
        tally = Tally()
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
        for piece in tally.counted(pieces):
            with object_faults("write", where):
                writer.write(piece)
        self.before_change()
        with object_faults("write", where):
            writer.close()
        return tally.stored()

    def _delete(self, batch: Sequence[str]) -> None:
        self.before_change()
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
