"""Requests that read a bucket.

Each is made once; `object_reads.py` tries again and compares checksums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

import obstore
from obstore.exceptions import InvalidPathError

from bulk_export.errors import TransientError
from bulk_export.storage.base import Entry, Fetched
from bulk_export.storage.object_faults import object_faults

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta
    from obstore.store import ObjectStore


class UnlistableKeyError(Exception):
    """A listing cannot go on: a key is no path.

    Attributes:
        after: the last key it has given; None before the first.
    """

    def __init__(self, after: str | None) -> None:
        super().__init__(after)
        self.after = after


class Pages(Protocol):
    """A listing in pages.

    When a page fails it goes on behind the last key it has seen.
    """

    def next(self) -> Sequence[Entry]:
        """The next page; an empty one at the end."""
        ...


class ReadRequests(Protocol):
    """What a reader asks a service for.

    `FileNotFoundError` for an object that is absent.
    """

    def get(self, key: str, max_bytes: int) -> Fetched:
        """Size of the object, and its bytes up to `max_bytes`."""
        ...

    def head(self, key: str) -> Entry:
        """Size and version of the object."""
        ...

    def get_range(self, key: str, start: int, length: int, version: str) -> bytes:
        """Bytes of the object, of that version unless it is empty."""
        ...

    def pages(self, prefix: str, after: str | None = None) -> Pages:
        """Objects below the folders of a prefix, behind a key."""
        ...


class ObstoreRequests:
    """The requests of every service, through obstore, whose keys are paths."""

    def __init__(self, store: ObjectStore, uri: str) -> None:
        self._store, self._uri = store, uri

    def get(self, key: str, max_bytes: int) -> Fetched:
        """One request; the connection is given up where the object is larger."""
        with object_faults("read", f"{self._uri}/{key}", reading=True):
            answer = obstore.get(self._store, key)
            size, version = answer.meta["size"], answer.meta["e_tag"] or ""
            return Fetched(size, None if size > max_bytes else answer.bytes().to_bytes(), version)

    def head(self, key: str) -> Entry:
        """A HEAD request."""
        with object_faults("find", f"{self._uri}/{key}", reading=True):
            found = obstore.head(self._store, key)
            return Entry(key, found["size"], found["e_tag"] or "")

    def get_range(self, key: str, start: int, length: int, version: str) -> bytes:
        """A range request on the condition that the version is the same."""
        options: GetOptions = {"range": (start, start + length)}
        if version:
            options["if_match"] = version
        with object_faults("read", f"{self._uri}/{key}", reading=True):
            return obstore.get(self._store, key, options=options).bytes().to_bytes()

    def pages(self, prefix: str, after: str | None = None) -> Pages:
        """Pages of whole folders, which is what obstore takes for prefixes."""
        return _ObstorePages(self._store, prefix.rpartition("/")[0] or None, f"{self._uri}/{prefix}", after)


class _ObstorePages:
    """A listing that goes on behind the last key it has seen when it breaks."""

    def __init__(self, store: ObjectStore, folder: str | None, where: str, after: str | None) -> None:
        self._store, self._folder, self._where, self._after = store, folder, where, after
        self._pages: Iterator[Sequence[ObjectMeta]] = self._begun()

    def next(self) -> Sequence[Entry]:
        """The next page; `UnlistableKeyError` where it holds a key that is no path."""
        try:
            with object_faults("list", self._where):
                page = self._page()
        except TransientError:
            self._pages = self._begun()
            raise
        if page:
            self._after = page[-1]["path"]
        return [Entry(found["path"], found["size"], found["e_tag"] or "") for found in page]

    def _page(self) -> Sequence[ObjectMeta]:
        try:
            return next(self._pages, ())
        except InvalidPathError as error:
            raise UnlistableKeyError(self._after) from error

    def _begun(self) -> Iterator[Sequence[ObjectMeta]]:
        return obstore.list(self._store, self._folder, offset=self._after, chunk_size=1_000)
