"""An object of a directory, open for reading.

Its failures are the product's errors.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from io import FileIO
from typing import TYPE_CHECKING, TypeVar

from bulk_export.storage.faults import file_faults

if TYPE_CHECKING:
    from typing_extensions import Buffer

_Read = TypeVar("_Read", int, bytes)


class ObjectFile(FileIO):
    """An open object.

    Args:
        descriptor: of the file; closed with this.
        path: for messages.
    """

    def __init__(self, descriptor: int, path: str) -> None:
        super().__init__(descriptor, "rb")
        self._path = path

    def readinto(self, buffer: Buffer, /) -> int:
        """Fill the buffer as far as the file goes."""
        with file_faults("read", self._path):
            count: int | None = super().readinto(buffer)
            return _some(count)

    def readall(self) -> bytes:
        """The rest of the file."""
        with file_faults("read", self._path):
            return _some(super().readall())

    def close(self) -> None:
        """Close it: whatever closing says, its bytes have been had."""
        with suppress(OSError):
            super().close()


def read_whole(descriptor: int, size: int) -> bytes:
    """So many bytes of an open file, fewer where it ends before."""
    content = os.read(descriptor, size)
    while len(content) < size and (more := os.read(descriptor, size - len(content))):
        content += more
    return content


def _some(read: _Read | None) -> _Read:
    if read is None:  # Python's word for EAGAIN, which no file should answer
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
    return read
