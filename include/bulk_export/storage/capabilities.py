"""Capabilities of storages beyond the five verbs.

Each is a class, which an implementation inherits or does not.

A caller asks with `isinstance(storage, LocalPaths)`, and has another way where the answer is no.

| capability | local | S3 | other buckets |
|---|---|---|---|
| `LocalPaths` | yes | | |
| `Durability` | yes | | |
| `Rights` | yes | | |
| `UnfinishedWrites` | yes | yes | |
| `WholeReads` | yes | yes | yes |
| `ServerCopy` | | yes | |
| `Checksums` | | yes | |
| `Guarded` | yes | yes | yes |
| `ByteKeys` | | yes | |
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from bulk_export.storage.base import Fetched, Storage, Stored


class LocalPaths(ABC):
    """Objects are files of this machine, for tools that need one."""

    @abstractmethod
    def path(self, key: str) -> Path:
        """Path of an object, existing or not; of the root without key."""


class Durability(ABC):
    """What is written needs flushing before it survives a power cut."""

    @abstractmethod
    def make_durable(self, prefix: str) -> None:
        """Return once everything written under `prefix` survives a power cut."""


class Rights(ABC):
    """The right to write is checked without an object under a key."""

    @abstractmethod
    def check_writable(self) -> None:
        """Raise `RefusedError` STORAGE_DENIED or STORAGE_MISSING unless objects can be put."""


class UnfinishedWrites(ABC):
    """Killed writers leave something behind that no listing shows."""

    @abstractmethod
    def sweep(self, prefix: str = "") -> int:
        """Remove unfinished writes in the folder `prefix`; how many there were.

        Only for folders nobody else is writing to: a write under way would lose its temporary file and fail.
        """


class WholeReads(ABC):
    """Size and bytes of an object come in one request."""

    @abstractmethod
    def fetch(self, key: str, max_bytes: int) -> Fetched:
        """Size of the object, and its bytes up to `max_bytes`.

        Raises:
            FileNotFoundError: there is no such object.
        """


class ServerCopy(ABC):
    """The service copies objects itself; no byte passes through this machine."""

    @abstractmethod
    def copy(self, key: str, source: Storage, source_key: str, fetched: Fetched) -> Stored | None:
        """Copy an object of `source` here, written once, as `put` without `replace`.

        Args:
            key: of the new object.
            source: storage of the object.
            source_key: its key there.
            fetched: what is known of it; the copy is of this version or none.

        Returns:
            What was written, or None when the bytes have to pass through this machine: another service, other
            credentials, no such request, or an object that has changed.
        """


class Checksums(ABC):
    """The service keeps checksums of its objects."""

    @abstractmethod
    def checksum(self, key: str) -> str | None:
        """SHA-256 (hex) that the service keeps of the object, None without one."""


class Guarded:
    """Somebody may look before anything is changed.

    Attributes:
        before_change: called right before an object appears, is replaced or goes; what it raises prevents that.
    """

    before_change: Callable[[], None] = staticmethod(lambda: None)


def guard(storage: Storage, before_change: Callable[[], None]) -> None:
    """Have somebody look before anything in the storage is changed.

    Where its kind knows that.
    """
    if isinstance(storage, Guarded):
        storage.before_change = before_change


class ByteKeys(ABC):
    """Keys are bytes, never tidied.

    One with empty, `.` or `..` parts is another object's than the tidied one.
    """

    @property
    @abstractmethod
    def by_bytes(self) -> Storage:
        """The same objects; `open`, `find` and `fetch` take any key."""


def local_path(storage: Storage, key: str) -> Path | None:
    """Path of an object on this machine, None for a remote storage."""
    return storage.path(key) if isinstance(storage, LocalPaths) else None
