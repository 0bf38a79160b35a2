"""Move stored files as they are, read once."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bulk_export.media.containers.sniffed import Window
from bulk_export.media.faults import MediaLimits, corrupt, missing, too_large
from bulk_export.media.sniff import WINDOW_BYTES, window_of
from bulk_export.storage.base import ByteRange, Fetched, Storage, Stored
from bulk_export.storage.capabilities import ServerCopy, local_path
from bulk_export.storage.faults import file_faults, from_os_error, scratch_faults
from bulk_export.storage.reading import fetch, read_range
from bulk_export.storage.sources import close_file, open_file

ONE_READ_BYTES = 8 * 1024 * 1024
# Many objects of a bucket are under way at once, and each is held in memory.
REMOTE_READ_BYTES = 4 * 1024 * 1024
# From here on the service copies what is to stay inside of it, although its bytes have been read to be judged.
COPY_BYTES = 64 * 1024
_COPIED_BYTES = 1024 * 1024
# No file can have such a path.
_NO_FILE = frozenset(
    {errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.ENXIO, errno.EISDIR}
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A stored file, opened and ready to be sent.

    Attributes:
        storage: that holds it.
        key: its key there.
        window: its beginning and end.
        content: the whole of a small file, None for a large one.
        path: on this machine, None for a file of a remote storage.
        fetched: what its remote storage said of it, None for a file on this machine.
    """

    storage: Storage
    key: str
    window: Window
    content: bytes | None
    path: Path | None
    fetched: Fetched | None = None

    def without_bytes(self) -> SourceFile:
        """The same file, to be read again later.

        Thousands may wait, and their bytes would fill the memory.
        """
        fetched = self.fetched and replace(self.fetched, content=None)
        return replace(self, window=Window(b"", b"", self.window.size), content=None, fetched=fetched)


def open_source(storage: Storage, key: str, limits: MediaLimits) -> SourceFile:
    """Read a small file whole, of a large one the ends.

    Raises:
        FileNotFoundError: there is no such file.
        ItemFault: it cannot be delivered.
    """
    path = local_path(storage, key)
    if path is not None:
        return _open_local(storage, key, path, limits)
    fetched = fetch(storage, key, REMOTE_READ_BYTES)
    size, content = fetched.bytes, fetched.content
    _check_size(size, limits)
    if content is not None:
        return SourceFile(storage, key, Window(content, content, size), content, None, fetched)
    head = read_range(storage, key, ByteRange(0, WINDOW_BYTES, fetched.version))
    tail = read_range(storage, key, ByteRange(max(0, size - WINDOW_BYTES), WINDOW_BYTES, fetched.version))

    def more(offset: int, length: int) -> bytes:
        return read_range(storage, key, ByteRange(offset, length, fetched.version))

    return SourceFile(storage, key, Window(head, tail, size, more), None, None, fetched)


def send(source: SourceFile, destination: Storage, key: str, *, replace: bool = False) -> Stored:
    """Deliver the file byte for byte.

    The service copies it where it can. Unless `replace`, what others have written there stays.

    Raises:
        ItemFault: it changed or vanished meanwhile.
    """
    try:
        stored = _copied(source, destination, key) or _put(source, destination, key, replace=replace)
    except FileNotFoundError as error:
        raise missing("the stored file is not there any more") from error
    if stored.bytes != source.window.size:
        with suppress(Exception):  # without the right to delete it stays, and no manifest names it
            destination.delete([key])
        raise corrupt("the stored file changed while it was copied")
    return stored


def _copied(source: SourceFile, destination: Storage, key: str) -> Stored | None:
    """What the service itself has copied; None where it cannot, or a PUT is as good."""
    if source.fetched is None or source.window.size < COPY_BYTES or not isinstance(destination, ServerCopy):
        return None
    return destination.copy(key, source.storage, source.key, source.fetched)


def _put(source: SourceFile, destination: Storage, key: str, *, replace: bool) -> Stored:
    if source.content is not None:
        return destination.put(key, source.content, replace=replace)
    if source.path is not None:
        return destination.put(key, source.path, replace=replace)
    with source.storage.open(source.key) as stream:
        return destination.put(key, stream, replace=replace)


@contextmanager
def local_copy(source: SourceFile, scratch: Path) -> Iterator[Path]:
    """The file on this machine, for tools that need one.

    Its own path, or a copy at `scratch` that is removed afterwards.
    """
    if source.path is not None:
        yield source.path
        return
    try:
        _copy_here(source, scratch)
        yield scratch
    finally:
        with suppress(OSError):  # it goes with the job's directory
            scratch.unlink()


def _copy_here(source: SourceFile, scratch: Path) -> None:
    if source.content is not None:
        with scratch_faults(scratch):
            scratch.write_bytes(source.content)
        return
    with source.storage.open(source.key) as stream, ExitStack() as stack:
        with scratch_faults(scratch):
            file = stack.enter_context(scratch.open("wb"))
        while piece := stream.read(_COPIED_BYTES):
            with scratch_faults(scratch):
                file.write(piece)
        with scratch_faults(scratch):
            file.close()


def _open_local(storage: Storage, key: str, path: Path, limits: MediaLimits) -> SourceFile:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe or device does something already
            raise missing("it is not a regular file")
        # What takes the file's place meanwhile must neither block nor be read.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in _NO_FILE:
            raise missing(f"it cannot be there: {error.strerror}") from error
        raise from_os_error(error, "read", str(path)) from error
    try:
        with file_faults("read", str(path)):
            return _source_of(storage, key, path, descriptor, limits)
    finally:
        close_file(descriptor)


def _source_of(storage: Storage, key: str, path: Path, descriptor: int, limits: MediaLimits) -> SourceFile:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise missing("it is not a regular file")
    _check_size(status.st_size, limits)
    if status.st_size < ONE_READ_BYTES:
        content = os.read(descriptor, status.st_size + 1)
        return SourceFile(storage, key, Window(content, content, len(content)), content, path)
    with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
        window = window_of(file, status.st_size, partial(_read_from, path))
    return SourceFile(storage, key, window, None, path)


def _read_from(path: Path, offset: int, length: int) -> bytes:
    descriptor = open_file(str(path))
    try:
        with file_faults("read", str(path)):
            return os.pread(descriptor, length, offset)
    finally:
        close_file(descriptor)


def _check_size(size: int, limits: MediaLimits) -> None:
    if size > limits.max_source_bytes:
        raise too_large(f"{size} bytes, the limit is {limits.max_source_bytes}")
