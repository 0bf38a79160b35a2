"""Sources of a put: memory, a file or a stream.

Their bytes come in pieces, which are hashed as they pass.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import BinaryIO

from bulk_export.storage.base import Stored
from bulk_export.storage.faults import file_faults, from_os_error

# Files below this are read in one piece: hashed while still in the cache, 1.3 times the files/s of a chunked loop.
ONE_READ_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024


class Tally:
    """Size and digest of the pieces seen so far."""

    __slots__ = ("_digest", "_size")

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Count one more piece."""
        self._digest.update(piece)
        self._size += len(piece)

    def counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces, each counted as it passes."""
        for piece in pieces:
            self.add(piece)
            yield piece

    def stored(self) -> Stored:
        """Size and digest of all pieces so far."""
        return Stored(bytes=self._size, sha256=self._digest.hexdigest())


def pieces_of(content: bytes | Path | BinaryIO, chunk_bytes: int = CHUNK_BYTES) -> Generator[bytes, None, None]:
    """The content in pieces of at most that size, none empty.

    Bytes and a small file are one piece.

    `FileNotFoundError` when a path is no regular file. What a stream raises is passed on as it is.
    """
    if isinstance(content, bytes):
        if content:
            yield content
    elif isinstance(content, Path):
        source = str(content)
        descriptor = open_file(source)
        try:
            with file_faults("read", source):
                size = os.fstat(descriptor).st_size
            piece_bytes = size + 1 if size < ONE_READ_BYTES else chunk_bytes
            while True:
                with file_faults("read", source):
                    piece = os.read(descriptor, piece_bytes)
                if not piece:
                    return
                yield piece
        finally:
            close_file(descriptor)
    else:
        while piece := content.read(chunk_bytes):
            yield piece


def parts_of(content: bytes | Path | BinaryIO, part_bytes: int) -> Generator[bytes, None, None]:
    """The content in parts of exactly that size, the last smaller.

    Bytes that fit are handed on as they are.
    """
    if isinstance(content, bytes):
        if len(content) <= part_bytes:
            yield content
        else:
            view = memoryview(content)
            for start in range(0, len(content), part_bytes):
                yield bytes(view[start : start + part_bytes])
        return
    held = b""
    with closing(pieces_of(content, part_bytes)) as pieces:
        for piece in pieces:
            held = held + piece if held else piece
            del piece  # one part in memory, not two
            if len(held) >= part_bytes:
                part, held = held[:part_bytes], held[part_bytes:]
                yield part
                del part
    if held:
        yield held


def open_file(path: str) -> int:
    """Open a regular file; nothing else is an object.

    Nothing else is opened either.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - a Path costs as much as the call itself
            raise FileNotFoundError(f"no such object: {path}")
        # O_NONBLOCK: opening a named pipe that nobody writes to must not wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"no such object: {path}") from None
    except OSError as error:
        fault = from_os_error(error, "read", path)
        if fault.code == "KEY_INVALID":  # a name no file can have
            raise FileNotFoundError(f"no such object: {path}") from error
        raise fault from error
    try:
        with file_faults("read", path):
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if not regular:
            raise FileNotFoundError(f"no such object: {path}")
    except BaseException:
        close_file(descriptor)
        raise
    return descriptor


def close_file(descriptor: int) -> None:
    """Close a file that was read.

    Whatever closing says, its bytes have been had.
    """
    with suppress(OSError):
        os.close(descriptor)
