"""What every storage can do: the seam between the product and disks, buckets and vendors.

A storage is a root (directory, or bucket and prefix) under which objects live by key. A key is a relative POSIX path
such as `data/media/0001/100001.mp3`. An object appears whole or not at all. Nothing above this package knows a vendor.
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
        version: differs when the content does, such as an ETag; empty where a listing does not say.
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
class Rights:
    """What may be done in a storage: each right with the reason why it is missing, empty where it is there.

    Attributes:
        list: see what lies there; required everywhere.
        put: write objects; required of a destination and of the staging area.
        get: read objects; required of the staging area and of a contact store.
        delete: remove objects; never required, but without it an interrupted run may leave something behind.
    """

    list: str
    put: str
    get: str
    delete: str


class Storage(Protocol):
    """One storage location, staging area or object root of a contact store.

    Every method raises `RefusedError` (STORAGE_DENIED, STORAGE_MISSING) when access is denied or there is nothing to
    write into, `TransientError` (STORAGE_FULL, STORAGE_UNREACHABLE) when a retry may help, `DefinitionError`
    (KEY_INVALID) for a key that is absolute or would leave the root, and `FileNotFoundError` from the reading ones
    when the object is absent. The table is `faults.py`.
    """

    @property
    def uri(self) -> str:
        """Absolute address of the root, without a trailing slash: `file:///srv/exports`, `s3://bucket/prefix`."""
        ...

    def put(self, key: str, content: bytes | Path | BinaryIO, *, replace: bool = True) -> Stored:
        """Write one object whole; bytes stream, memory stays flat.

        With `replace`, what stands under the key goes. Without, an object of the same content counts as written, and
        any other stays as it is: `RefusedError` STORAGE_CONFLICT.
        """
        ...

    def copy(self, key: str, source: Storage, source_key: str, fetched: Fetched) -> Stored | None:
        """Have the service itself copy an object of `source` here, written once, as `put` without `replace`.

        Args:
            key: of the new object.
            source: where the object lies.
            source_key: its key there.
            fetched: what is known of it; the copy is of this version or none.

        Returns:
            What was written, or None when the bytes have to pass through this machine: another service, other
            credentials, no such request, or an object that has changed.
        """
        ...

    def fetch(self, key: str, max_bytes: int) -> Fetched:
        """The object's size and, when it has no more than `max_bytes`, its bytes: one request for most objects."""
        ...

    def read_range(self, key: str, start: int, length: int, version: str = "") -> bytes:
        """`length` bytes from `start` on, fewer at the end; with a version, `TransientError` when it is another now."""
        ...

    def checksum(self, key: str) -> str | None:
        """SHA-256 (hex) that the service itself keeps of the object, None where it keeps or tells none."""
        ...

    def read(self, key: str, *, max_bytes: int | None = None) -> bytes:
        """The object's bytes, at most `max_bytes` of them."""
        ...

    def open(self, key: str) -> BinaryIO:
        """The object as a binary stream to read from; the caller closes it."""
        ...

    def size(self, key: str) -> int:
        """Bytes of the object."""
        ...

    def list(self, prefix: str = "") -> Iterator[Entry]:
        """Every object whose key starts with `prefix`, in key order; unfinished writes never show."""
        ...

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; absent ones are fine."""
        ...

    def path(self, key: str) -> Path | None:
        """Where the object lies on this machine, or None for a remote storage (tools that need a file ask first)."""
        ...

    def sweep(self, prefix: str = "") -> int:
        """Remove what killed writers left unfinished in the folder `prefix`; how much it was.

        Only for folders nobody else is writing to: a write under way would lose its temporary file and fail.
        """
        ...

    def make_durable(self, prefix: str) -> None:
        """Return once everything written under `prefix` survives a power cut; nothing to do for a bucket."""
        ...

    def check_rights(self) -> Rights:
        """Try every right with an object of its own, which goes again where deleting is allowed."""
        ...

    def check_writable(self, *, reading: bool = False) -> None:
        """Raise unless objects can be listed and put here and, with `reading`, read back.

        `RefusedError` STORAGE_DENIED names every right that is missing, STORAGE_MISSING says there is no such place.
        """
        ...
