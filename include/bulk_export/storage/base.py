"""Protocol of a storage: five verbs.

The seam between the product and disks, buckets and vendors.

A storage is a root (directory, or bucket and prefix) under which objects are kept by key. A key is a relative POSIX
path such as `data/media/0001/100001.mp3`. An object appears whole or not at all. Nothing above this package knows a
vendor.
What only some storages can do is in `capabilities.py`; conveniences over the verbs are in `reading.py` and `rights.py`.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as it was written.

    Attributes:
        bytes: its size.
        sha256: lower-case hex digest of its bytes, computed while they streamed.
    """

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An object as a listing shows it.

    Attributes:
        key: its key.
        bytes: its size.
        version: differs when the content does, such as an ETag; empty where the storage does not say.
    """

    key: str
    bytes: int
    version: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object as one request brings it.

    Attributes:
        bytes: its size.
        content: the whole of it, None when it is larger than asked for.
        version: as `Entry.version`.
    """

    bytes: int
    content: builtins.bytes | None
    version: str = ""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A part of one object.

    Attributes:
        start: its first byte, from 0.
        length: how many bytes; fewer are read where the object ends before.
        version: as `Entry.version`; empty for whichever is there.
    """

    start: int
    length: int
    version: str = ""


class Storage(Protocol):
    """One storage location, staging area or object root of a contact store.

    Every method raises `RefusedError` (STORAGE_DENIED, STORAGE_MISSING) when access is denied or there is nothing to
    write into, `TransientError` (STORAGE_FULL, STORAGE_UNREACHABLE) when a retry may help, and `DefinitionError`
    (KEY_INVALID) for a key that is absolute or would leave the root. The table is `faults.py`.
    """

    @property
    def uri(self) -> str:
        """Absolute address of the root, without a trailing slash: `file:///srv/exports`, `s3://bucket/prefix`."""
        ...

    def put(self, key: str, content: bytes | Path | BinaryIO, *, replace: bool = True) -> Stored:
        """Write one object whole; bytes stream, memory stays flat.

        With `replace`, an object under the key is replaced. Without, an object of the same content counts as written,
        and any other stays as it is: `RefusedError` STORAGE_CONFLICT.
        """
        ...

    def open(self, key: str, byte_range: ByteRange | None = None) -> BinaryIO:
        """The object, or a range of it, as a seekable stream.

        The caller closes it. A range is read in one request.

        Raises:
            FileNotFoundError: there is no such object.
            TransientError: the object is of another version than the range.
        """
        ...

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every object whose key starts with `prefix`, in key order.

        Unfinished writes never show.
        """
        ...

    def find(self, key: str) -> Entry | None:
        """One object's size and version, None when it is absent.

        Works with the right to list alone: no right to read is needed.
        """
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; absent ones are fine."""
        ...
