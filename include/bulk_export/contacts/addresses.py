"""Addresses of the contact store's objects: relative to its root, or absolute.

What a store says is not to be trusted. An object is read only where the store's root or a place of
`contact_store.allowed` holds it; anything else is outside, whatever its address looks like.

| address | is |
|---|---|
| `media/1.wav` | below the root |
| `/srv/store/media/1.wav`, `file:///srv/store/media/1.wav` | a file of this machine, if a directory allowed holds it |
| `s3://acme/store/media/1.wav` | an object, if a bucket and prefix allowed holds it |
| any other that has a scheme | outside |

Paths of directories are tidied (`a//b`, `a/./b`, `a/../c`), and links followed: where a file really is decides. Keys of
buckets are bytes and never tidied: `media//1.wav` is not `media/1.wav`. One with `..` is outside all the same where it
would lead out if it were tidied, because some servers do that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bulk_export.definitions.locations import is_place
from bulk_export.errors import TransientError
from bulk_export.storage import folder_path, scheme_of
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import ByteKeys, local_path
from bulk_export.storage.faults import os_faults
from bulk_export.storage.keys import is_path
from bulk_export.storage.local import LocalStorage

_CONTROLS = re.compile(r"[\0-\x1f]")


class AddressError(Exception):
    """No object can have this address.

    The message completes "address ..." and repeats nothing of it.
    """


class OutsideError(AddressError):
    """What the address leads to may not be read.

    Attributes:
        place: directory or bucket prefix that holds it, which could be allowed; empty where none could.
    """

    def __init__(self, how: str = "lies outside of contact_store.allowed", *, place: str = "") -> None:
        super().__init__(how)
        self.place = place


@dataclass(frozen=True, slots=True)
class Folders:
    """Real paths of the directories that may be read."""

    real: tuple[str, ...]

    @classmethod
    def of(cls, paths: Iterable[Path | str]) -> Folders:
        """These directories; links among them lead to where they lead now."""
        return cls(tuple(dict.fromkeys(os.path.realpath(path) for path in paths)))

    def holding(self, real: str) -> str | None:
        """The directory that holds a real path, None when none does."""
        return next((folder for folder in self.real if real.startswith(f"{folder.rstrip('/')}/")), None)


@dataclass(frozen=True, slots=True)
class Addresses:
    """What a contact store's addresses may lead to.

    Attributes:
        root: of the store's objects, which is always allowed.
        places: of `contact_store.allowed`.
        real_path: follows the links of a path.
    """

    root: Storage
    places: tuple[Storage, ...] = ()
    real_path: Callable[[str], str] = os.path.realpath
    _folders: Folders = field(init=False)
    _opened: dict[str, Storage] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for place in (self.root, *self.places):
            path = local_path(place, "")
            if path is not None:
                real = os.path.realpath(path)
                self._opened.setdefault(real, place if real == str(path) else LocalStorage(Path(real)))
        object.__setattr__(self, "_folders", Folders(tuple(self._opened)))

    @property
    def folders(self) -> tuple[str, ...]:
        """Real paths of the directories that may be read."""
        return self._folders.real

    def locate(self, uri: str) -> tuple[Storage, str]:
        """The storage and key at an address.

        Args:
            uri: as the store's catalogue has it.

        Raises:
            OutsideError: it may not be read.
            AddressError: no object can be there.
        """
        path = folder_path(uri)
        address = uri if path is None else path
        if _CONTROLS.search(address):
            raise AddressError("has control characters")
        if not address:
            raise AddressError("names no object")
        if path is None:
            return self._in_buckets(uri)
        root = local_path(self.root, "")
        if path.startswith("/"):
            return self._in_folders(os.path.normpath(f"/{path.lstrip('/')}"), path)
        if root is None:
            return _in_bucket(self.root, path)
        return self._in_folders(f"{root}/{_below(path)}", path)

    def _in_folders(self, path: str, written: str) -> tuple[Storage, str]:
        real = self.real_path(path)
        folder = self._folders.holding(real)
        if folder is None:
            if real in self._folders.real:
                raise AddressError("names no object")
            place = real.rpartition("/")[0] or "/"
            if self._folders.holding(path):
                raise OutsideError("leads out of contact_store.allowed by a link", place=place)
            raise OutsideError(place=place)
        if written.endswith("/"):
            raise AddressError("names no object")
        return self._opened[folder], real[len(folder.rstrip("/")) + 1 :]

    def _in_buckets(self, uri: str) -> tuple[Storage, str]:
        scheme, _, rest = uri.partition("://")
        address = f"{scheme_of(scheme)}://{rest}"
        for place in (self.root, *self.places):
            if address.startswith(f"{place.uri}/") and local_path(place, "") is None:
                return _in_bucket(place, address.removeprefix(f"{place.uri}/"))
        holder = address.rpartition("/")[0]
        raise OutsideError(place=holder if is_place(holder) else "")


def check_mounted(root: Storage) -> None:
    """Raise `TransientError` where the store's directory is not there.

    That must fail the task, not every contact.
    """
    path = local_path(root, "")
    if path is None:
        return
    with os_faults("find", str(path)):
        there = path.is_dir()
    if not there:
        raise TransientError(
            "STORAGE_UNREACHABLE",
            f"the contact store is not there: {root.uri}",
            hint="Mount or correct it, then retry.",
        )


def _in_bucket(place: Storage, key: str) -> tuple[Storage, str]:
    """The object of a bucket with exactly this key."""
    if not key:
        raise AddressError("names no object")
    if is_path(key):
        return place, key
    _below(key)
    if not isinstance(place, ByteKeys):
        raise AddressError("has empty, '.' or '..' parts, which cannot be asked for there")
    return place.by_bytes, key


def _below(address: str) -> str:
    """A relative address, tidied; `OutsideError` when it leads above where it starts."""
    parts: list[str] = []
    for part in address.split("/"):
        if part == "..":
            if not parts:
                raise OutsideError("leads out of the store")
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
