"""A storage kind that has the five verbs and nothing else, as one would add it: a directory, seen as a bucket is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import Field

from bulk_export.definitions.locations import (
    Address,
    ConnectionField,
    ConnectionType,
    StorageKind,
    StorageLocation,
)
from bulk_export.definitions.values import Text
from bulk_export.storage.base import ByteRange, Entry, Stored
from bulk_export.storage.credentials import Credentials
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.retry import RetryPolicy


class ShelfLocation(StorageLocation):
    """A shelf of the archive."""

    type: Literal["shelf"]
    shelf: Text = Field(description="Its name.", examples=["north"])
    row: str = Field("", description="Below which everything is stored.", examples=["7"])
    connection: Text | None = Field(None, description="Airflow connection with the key.", examples=["archive"])


class VerbsAlone:
    """A directory without local paths or any other capability."""

    def __init__(self, root: Path, credentials: Credentials | None = None) -> None:
        self._disk = LocalStorage(root)
        self.credentials = credentials

    @property
    def uri(self) -> str:
        return self._disk.uri.replace("file://", "shelf://")

    def put(self, key: str, content: bytes | Path | BinaryIO, *, replace: bool = True) -> Stored:
        return self._disk.put(key, content, replace=replace)

    def open(self, key: str, byte_range: ByteRange | None = None) -> BinaryIO:
        return self._disk.open(key, byte_range)

    def list(self, prefix: str = "") -> Iterator[Entry]:
        return self._disk.list(prefix)

    def find(self, key: str) -> Entry | None:
        return self._disk.find(key)

    def delete(self, keys: Iterable[str]) -> None:
        self._disk.delete(keys)


def open_shelf(
    location: ShelfLocation, *, base: Path, credentials: Credentials | None, retry_policy: RetryPolicy | None
) -> VerbsAlone:
    return VerbsAlone(base / "shelves" / location.shelf / location.row, credentials)


SHELF = StorageKind(
    name="shelf",
    settings=ShelfLocation,
    opener=f"{__name__}:open_shelf",
    address=Address(("shelf",), "shelf", "row"),
    connection_type=ConnectionType("archivist", {"key": (ConnectionField("extra.key"), ConnectionField("password"))}),
)
