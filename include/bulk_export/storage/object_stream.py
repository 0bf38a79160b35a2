"""A large object as a seekable stream, fetched range by range."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer

RANGE_BYTES = 8 * 1024 * 1024


class ObjectStream(io.RawIOBase):
    """Seekable bytes of one version of an object.

    Read from beginning to end, they are checked when the end is reached.

    Args:
        size: of the object.
        read: fetches `(start, length)`.
        check: called with SHA-256 and MD5 (hex) of the whole once it has been read in order; raises when one is wrong.
    """

    def __init__(self, size: int, *, read: Callable[[int, int], bytes], check: Callable[[str, str], object]) -> None:
        super().__init__()
        self._size, self._read, self._check = size, read, check
        self._position = 0
        self._hashed = 0
        self._sha256, self._md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte comes from."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; nothing is fetched."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill the buffer as far as the object goes."""
        view = memoryview(buffer).cast("B")
        length = min(len(view), self._size - self._position, RANGE_BYTES)
        if length <= 0:
            return 0
        found = self._read(self._position, length)
        view[: len(found)] = found
        self._count(found)
        self._position += len(found)
        return len(found)

    def readall(self) -> bytes:
        """The rest, fetched in large ranges.

        Python's own way would ask for 8 KB at a time.
        """
        pieces = []
        piece = bytearray(RANGE_BYTES)
        while count := self.readinto(piece):
            pieces.append(bytes(memoryview(piece)[:count]))
        return b"".join(pieces)

    def _count(self, found: bytes) -> None:
        if self._position != self._hashed:
            return  # out of order: then it is not hashed to the end either
        self._sha256.update(found)
        self._md5.update(found)
        self._hashed += len(found)
        if self._hashed == self._size:
            self._check(self._sha256.hexdigest(), self._md5.hexdigest())
