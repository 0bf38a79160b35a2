"""What every storage can do: the seam between the product and disks, buckets and vendors.

A storage is a root (directory, or bucket and prefix) under which objects live by key. A key is a relative POSIX path
such as `data/media/0001/100001.mp3`. An object appears whole or not at all. Nothing above this package knows a vendor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
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
    """An object as a listing shows it."""

    key: str
    bytes: int


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

    def put(self, key: str, content: bytes | Path | BinaryIO) -> Stored:
        """Write one object whole, replacing what stands under the key; bytes stream, memory stays flat."""
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

    def check_writable(self) -> None:
        """Raise `RefusedError` STORAGE_DENIED / STORAGE_MISSING or `TransientError` unless objects can be put here."""
        ...
