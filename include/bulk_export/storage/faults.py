"""Meaning of failures: of storages, unfinished files and this machine.

One table says what an operating system's error is about, and which code that is where:

| cause | in a storage | among unfinished files | elsewhere |
|---|---|---|---|
| access denied, read-only | STORAGE_DENIED | SCRATCH_FAILED | MACHINE_FAILED |
| the root is no directory | STORAGE_MISSING | SCRATCH_FAILED | MACHINE_FAILED |
| no space, quota used up, file larger than the file system takes | STORAGE_FULL | SCRATCH_FULL | SCRATCH_FULL |
| name too long, name not representable | KEY_INVALID | SCRATCH_FAILED | MACHINE_FAILED |
| no memory, open files or buffers left | MACHINE_EXHAUSTED | MACHINE_EXHAUSTED | MACHINE_EXHAUSTED |
| anything else, such as input/output error, time-out | STORAGE_UNREACHABLE | SCRATCH_FAILED | MACHINE_FAILED |

The staging area is a storage, with SCRATCH_FULL for STORAGE_FULL. Class and remedy of a code are in
`error_codes.py`; what a bucket's service answers is in `object_faults.py`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from pathlib import Path

from bulk_export.errors import BulkExportError, UnreadableError, error_of


class Cause(Enum):
    """What an operating system's error is about."""

    DENIED = auto()
    MISSING = auto()
    FULL = auto()
    NAME = auto()
    EXHAUSTED = auto()
    OTHER = auto()


_CAUSES: Mapping[int, Cause] = {
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), Cause.DENIED),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ELOOP), Cause.MISSING),
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), Cause.FULL),
    **dict.fromkeys((errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL), Cause.NAME),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS), Cause.EXHAUSTED),
}
# What is about a name or a path, and means nothing where an open file is read or written.
_OF_A_PATH = frozenset({Cause.MISSING, Cause.NAME})

_STORAGE: Mapping[Cause, str] = {
    Cause.DENIED: "STORAGE_DENIED",
    Cause.MISSING: "STORAGE_MISSING",
    Cause.FULL: "STORAGE_FULL",
    Cause.NAME: "KEY_INVALID",
    Cause.EXHAUSTED: "MACHINE_EXHAUSTED",
}
_SCRATCH: Mapping[Cause, str] = {Cause.FULL: "SCRATCH_FULL", Cause.EXHAUSTED: "MACHINE_EXHAUSTED"}


def storage_error(code: str, doing: str, where: str, cause: str) -> BulkExportError:
    """Error for a failure of kind `code`.

    Args:
        code: of the table of codes.
        doing: what was tried, such as `write`.
        where: address of the object or root.
        cause: in the words of the system or service.
    """
    return error_of(code, f"Could not {doing} {where}: {cause}")


def unreadable(where: str, cause: str) -> UnreadableError:
    """Error for one object that is there and cannot be read.

    Arguments as above.
    """
    fault = storage_error("STORAGE_UNREACHABLE", "read", where, cause)
    return UnreadableError(fault.code, fault.message, hint=fault.hint, cause=cause)


def cause_of(error: OSError) -> Cause:
    """What an operating system's error is about."""
    return _CAUSES.get(error.errno or 0, Cause.OTHER)


def from_os_error(
    error: OSError, doing: str, where: str, *, full: str = "STORAGE_FULL", open_file: bool = False
) -> BulkExportError:
    """What an operating system's error means for a local storage.

    An object that is there and cannot be read is an `UnreadableError`.

    Args:
        error: of the operating system.
        doing: what was tried, such as `write`.
        where: path of the object or root.
        full: code of a full disk.
        open_file: it came of an open file: whatever its number, it says nothing of the file's name.
    """
    cause = cause_of(error)
    if (open_file and cause in _OF_A_PATH) or (doing != "read" and error.errno == errno.ELOOP):
        cause = Cause.OTHER  # links in a circle where files shall go: a disk that is away, and may come back
    code = full if cause is Cause.FULL else _STORAGE.get(cause, "STORAGE_UNREACHABLE")
    fault = storage_error(code, doing, where, words_of(error))
    return unreadable(where, words_of(error)) if doing == "read" and code == "STORAGE_UNREACHABLE" else fault


@contextmanager
def os_faults(doing: str, where: str, *, full: str = "STORAGE_FULL") -> Iterator[None]:
    """Turn every `OSError` of a path inside into the product's error."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, doing, where, full=full) from error


@contextmanager
def file_faults(doing: str, where: str, *, full: str = "STORAGE_FULL") -> Iterator[None]:
    """Turn every `OSError` of an open file inside into the product's error."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, doing, where, full=full, open_file=True) from error


@contextmanager
def scratch_faults(path: Path) -> Iterator[None]:
    """Turn every `OSError` of unfinished files inside into the product's error.

    Also that of reading them again, such as for a delivery.
    """
    try:
        yield
    except UnreadableError as error:
        raise error_of("SCRATCH_FAILED", error.message) from error
    except OSError as error:
        raise scratch_error(error, path) from error


def scratch_error(error: OSError, path: Path) -> BulkExportError:
    """What an operating system's error means for an unfinished file."""
    code = _SCRATCH.get(cause_of(error), "SCRATCH_FAILED")
    return error_of(code, f"Could not write, or read again, unfinished files at {path}: {words_of(error)}")


def machine_error(error: OSError | MemoryError, doing: str) -> BulkExportError:
    """What an error means that nobody expected where it happened.

    Args:
        error: of the operating system, or of Python where memory ends.
        doing: what was under way, such as the name of a stage.
    """
    if isinstance(error, MemoryError):
        return error_of("MACHINE_EXHAUSTED", f"{doing} ran out of memory")
    code = _SCRATCH.get(cause_of(error), "MACHINE_FAILED")
    place = f" at {error.filename}" if error.filename else ""
    return error_of(code, f"{doing} was refused by the operating system{place}: {words_of(error)}")


def words_of(error: OSError) -> str:
    """The operating system's words, without the path."""
    return os.strerror(error.errno) if error.errno else error.strerror or type(error).__name__
