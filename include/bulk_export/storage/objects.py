"""Objects in a bucket: S3 and compatible, Azure Blob, Google Cloud Storage, through obstore.

Needs the rights to list and put, and to get where something is read; never to delete. Small objects are one PUT with
the checksum the store was opened with, larger ones a multipart upload in a few parts at a time, which appears when it
is completed and not before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from bulk_export.errors import BulkExportError
from bulk_export.storage.base import Entry, Stored
from bulk_export.storage.keys import check_key, check_prefix
from bulk_export.storage.object_faults import object_faults
from bulk_export.storage.object_stream import open_object
from bulk_export.storage.sources import Tally, pieces_of

if TYPE_CHECKING:
    from obstore.store import ObjectStore

PART_BYTES = 8 * 1024 * 1024
PARTS_AT_ONCE = 4
_PARTS_AT_MOST = 9_000  # S3 takes 10,000 parts
_DELETE_AT_ONCE = 1_000
_PROBE = ".bulk-export-write-check"


class ObjectStorage:
    """A bucket and prefix; safe to use from several threads, not across a fork."""

    def __init__(self, store: ObjectStore, uri: str) -> None:
        self._store = store
        self._uri = uri.rstrip("/")

    @property
    def uri(self) -> str:
        """Absolute address of bucket and prefix."""
        return self._uri

    def put(self, key: str, content: bytes | Path | BinaryIO) -> Stored:
        """Write one object whole; `FileNotFoundError` when `content` is a path that is not there."""
        import obstore

        check_key(key)
        tally = Tally()
        where = f"{self._uri}/{key}"
        with closing(pieces_of(content)) as pieces:
            piece = next(pieces, b"")  # an unreadable source is noticed before anything is sent
            with object_faults("write", where):
                writer = obstore.open_writer(
                    self._store, key, buffer_size=_part_bytes(content), max_concurrency=PARTS_AT_ONCE
                )
            # No `with`, which would complete the object although its source broke: a writer left alone never does.
            # No iterator handed to obstore.put either: it would be read inside its event loop, where a source that
            # is an object itself cannot be.
            while piece:
                tally.add(piece)
                with object_faults("write", where):
                    writer.write(piece)
                piece = next(pieces, b"")
            with object_faults("write", where):
                writer.close()
        return tally.stored()

    def read(self, key: str, *, max_bytes: int | None = None) -> bytes:
        """The object's bytes, at most `max_bytes` of them."""
        with self.open(key) as stream:
            return stream.read() if max_bytes is None else stream.read(max_bytes)

    def open(self, key: str) -> BinaryIO:
        """The object as a seekable binary stream; the caller closes it."""
        check_key(key)
        return open_object(self._store, key, f"{self._uri}/{key}")

    def size(self, key: str) -> int:
        """Bytes of the object."""
        import obstore

        check_key(key)
        with object_faults("read", f"{self._uri}/{key}", reading=True):
            return obstore.head(self._store, key)["size"]

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every object whose key starts with `prefix`, in key order."""
        from obstore.store import GCSStore, S3Store

        check_prefix(prefix)
        entries = self._entries(prefix)
        # These two promise the order; elsewhere (Azure with directories) it has to be made.
        return entries if isinstance(self._store, S3Store | GCSStore) else iter(sorted(entries, key=lambda e: e.key))

    def _entries(self, prefix: str) -> Iterator[Entry]:
        import obstore

        # obstore takes whole folders for prefixes: the beginning of a name is compared here.
        folder = prefix.rpartition("/")[0]
        with object_faults("list", f"{self._uri}/{prefix}"):
            for page in obstore.list(self._store, folder or None, chunk_size=1_000):
                for found in page:
                    if found["path"].startswith(prefix):
                        yield Entry(found["path"], found["size"])

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, a thousand to a request; absent ones are fine."""
        import obstore

        remaining = iter(keys)
        while batch := [*islice(remaining, _DELETE_AT_ONCE)]:
            for key in batch:
                check_key(key)
            with object_faults("delete", f"{self._uri}/{batch[0]}"):
                try:
                    obstore.delete(self._store, batch)
                except FileNotFoundError:  # a store without a batch request stops at the first absent one
                    for key in batch:
                        with suppress(FileNotFoundError):
                            obstore.delete(self._store, key)

    def path(self, key: str) -> None:
        """Nothing here is a file on this machine."""
        if key:
            check_key(key.removesuffix("/"))

    def make_durable(self, prefix: str) -> None:
        """An acknowledged PUT is durable already."""
        check_prefix(prefix)

    def check_writable(self) -> None:
        """Put a one-byte object below the prefix; it stays where the exporter may not delete."""
        import obstore

        with object_faults("write to", self._uri):
            obstore.put(self._store, _PROBE, b"\n", use_multipart=False)
        with suppress(BulkExportError):
            self.delete([_PROBE])

    def sweep(self, prefix: str = "") -> int:
        """Unfinished uploads are invisible; the bucket's own lifecycle rule removes them."""
        check_prefix(prefix)
        return 0


def _part_bytes(content: bytes | Path | BinaryIO) -> int:
    size = content.stat().st_size if isinstance(content, Path) else 0
    return max(PART_BYTES, size // _PARTS_AT_MOST)
