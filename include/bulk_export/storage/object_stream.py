"""An object of a bucket as a seekable stream, fetched range by range as it is read."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, BinaryIO, cast

from bulk_export.storage.object_faults import object_faults

if TYPE_CHECKING:
    from obstore.store import ObjectStore
    from typing_extensions import Buffer

# One request brings most transcripts and audio files whole; a video comes in this many bytes a request.
RANGE_BYTES = 4 * 1024 * 1024


def open_object(store: ObjectStore, key: str, where: str) -> BinaryIO:
    """Open the object with one request, its first range; `FileNotFoundError` when it is absent."""
    import obstore
    from obstore.exceptions import GenericError

    with object_faults("read", where, reading=True):
        try:
            # A GET, not a HEAD: only a GET's answer tells a missing bucket from a missing object.
            answer = obstore.get(store, key, options={"range": (0, RANGE_BYTES)})
            size, head = answer.meta["size"], answer.bytes().to_bytes()
        except GenericError:
            # An empty object has no first byte, which stores call an invalid range.
            if not _is_empty(store, key):
                raise
            size, head = 0, b""
    raw = _Ranges(store, key, where, size, head)
    return cast("BinaryIO", io.BufferedReader(raw, buffer_size=max(1, min(size, RANGE_BYTES))))


def _is_empty(store: ObjectStore, key: str) -> bool:
    import obstore
    from obstore.exceptions import BaseError

    try:
        return obstore.head(store, key)["size"] == 0
    except (BaseError, OSError):
        return False


class _Ranges(io.RawIOBase):
    def __init__(self, store: ObjectStore, key: str, where: str, size: int, head: bytes) -> None:
        super().__init__()
        self._store, self._key, self._where = store, key, where
        self._size, self._head, self._position = size, head, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        found = self._range(min(len(view), self._size - self._position))
        view[: len(found)] = found
        self._position += len(found)
        return len(found)

    def _range(self, length: int) -> bytes:
        if length <= 0:
            return b""
        start = self._position
        if start < len(self._head):
            return self._head[start : start + length]
        import obstore

        with object_faults("read", self._where, reading=True):
            return obstore.get_range(self._store, self._key, start=start, length=length).to_bytes()
