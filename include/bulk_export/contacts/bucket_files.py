"""Parquet files of a bucket, read in the ranges a query needs.

An fsspec file system, which DuckDB takes as it is, over the storage's own reading: the same credentials, retries and
errors as everything else. A file is read in the version its listing named: one that is replaced meanwhile is an error,
never a mixture.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from fsspec import AbstractFileSystem

from bulk_export.errors import BulkExportError
from bulk_export.storage.base import ByteRange
from bulk_export.storage.capabilities import ByteKeys
from bulk_export.storage.reading import read_range

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from bulk_export.storage.base import Entry, Storage

PROTOCOL = "bulkexport"
# As much as pyarrow asks for first; it holds most footers, and DuckDB asks for the footer again in every query.
_TAIL_BYTES = 64 * 1024
_GLOB = {"%": "%25", "*": "%2A", "?": "%3F", "[": "%5B", "]": "%5D", "{": "%7B"}


class BucketFiles:
    """The files of one catalogue; safe to use from several threads."""

    def __init__(self, storage: Storage) -> None:
        # What was listed has the keys it has.
        self.storage = storage.by_bytes if isinstance(storage, ByteKeys) else storage
        self._entries: dict[str, Entry] = {}
        self._tails: dict[tuple[str, str, int], bytes] = {}
        self._fault: BulkExportError | None = None

    def add(self, entry: Entry) -> str:
        """Take a file in; its address."""
        # DuckDB takes these characters for patterns.
        address = f"{PROTOCOL}://" + "".join(_GLOB.get(character, character) for character in entry.key)
        self._entries[address] = entry
        return address

    def entry(self, address: str) -> Entry:
        """The file at an address, which may have lost its scheme."""
        entry = self._entries.get(address) or self._entries.get(f"{PROTOCOL}://{address}")
        if entry is None:
            raise FileNotFoundError(address)
        return entry

    def open(self, address: str) -> BinaryIO:
        """A seekable stream of the file."""
        return cast("BinaryIO", RangeFile(self, self.entry(address)))

    def read(self, entry: Entry, start: int, length: int) -> bytes:
        """Bytes of the file; those at its end are kept."""
        length = min(length, entry.bytes - start)
        if length <= 0:
            return b""
        tail_start = max(0, entry.bytes - _TAIL_BYTES)
        with self._noted():
            if start < tail_start:
                return read_range(self.storage, entry.key, ByteRange(start, length, entry.version))
            identity = (entry.key, entry.version, entry.bytes)
            tail = self._tails.get(identity)
            if tail is None:
                wanted = ByteRange(tail_start, entry.bytes - tail_start, entry.version)
                tail = read_range(self.storage, entry.key, wanted)
                self._tails[identity] = tail
            return tail[start - tail_start : start - tail_start + length]

    def take_fault(self) -> BulkExportError | None:
        """The last failure, once."""
        fault, self._fault = self._fault, None
        return fault

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except BulkExportError as error:
            self._fault = error
            raise

    def file_system(self) -> Any:
        """For `duckdb.register_filesystem`."""
        files = self

        class FileSystem(AbstractFileSystem):  # type: ignore[misc]
            protocol = PROTOCOL
            cachable = False

            def open(self, path: str, mode: str = "rb", **_: object) -> BinaryIO:
                if mode != "rb":
                    raise PermissionError(f"a contact store is never written to: {path}")
                return files.open(path)

            def info(self, path: str, **_: object) -> dict[str, object]:
                return {"name": path, "size": files.entry(path).bytes, "type": "file"}

            def exists(self, path: str, **_: object) -> bool:
                return path in files._entries or f"{PROTOCOL}://{path}" in files._entries

            def glob(self, path: str, **_: object) -> list[str]:
                return [path.removeprefix(f"{PROTOCOL}://")] if self.exists(path) else []

            def modified(self, path: str) -> datetime:
                # DuckDB asks whether what it has in memory still holds; a session's files never change.
                return datetime(2000, 1, 1, tzinfo=UTC)

        return FileSystem()


class RangeFile(io.RawIOBase):
    """One file, in which each thread has its own position.

    DuckDB's threads share what they opened.
    """

    def __init__(self, files: BucketFiles, entry: Entry) -> None:
        super().__init__()
        self._files, self._entry = files, entry
        self._positions: dict[int, int] = {}
        self.size = entry.bytes

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where this thread reads next."""
        return self._positions.get(threading.get_ident(), 0)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; nothing is fetched."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self.tell(), os.SEEK_END: self.size}[whence]
        self._positions[threading.get_ident()] = start + offset
        return start + offset

    def read(self, size: int | None = -1, /) -> bytes:
        """Exactly the bytes asked for, in one request."""
        start = self.tell()
        wanted = self.size - start if size is None or size < 0 else size
        found = self._files.read(self._entry, start, wanted)
        self._positions[threading.get_ident()] = start + len(found)
        return found

    def readall(self) -> bytes:
        """The rest, in one request."""
        return self.read()

    def readinto(self, buffer: Buffer, /) -> int:
        """As `read`."""
        view = memoryview(buffer).cast("B")
        found = self.read(len(view))
        view[: len(found)] = found
        return len(found)
