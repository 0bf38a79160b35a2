"""Meaning of a storage's failures.

One table says who must act, and whether a retry can help:

| cause | error | code |
|---|---|---|
| access denied, read-only | `RefusedError` | STORAGE_DENIED |
| the root is no directory, no such bucket | `RefusedError` | STORAGE_MISSING |
| no space, quota of the disk used up, file larger than the file system takes | `TransientError` | STORAGE_FULL |
| name too long, name not representable | `DefinitionError` | KEY_INVALID |
| the key holds something else, and is written once | `RefusedError` | STORAGE_CONFLICT |
| credentials that have run out | `TransientError` | STORAGE_EXPIRED |
| this machine's clock is wrong | `TransientError` | STORAGE_CLOCK |
| anything else: input/output error, time-out, throttling, server fault | `TransientError` | STORAGE_UNREACHABLE |
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from bulk_export.errors import BulkExportError, DefinitionError, RefusedError, TransientError

_BY_ERRNO: dict[int, str] = {
    errno.EACCES: "STORAGE_DENIED",
    errno.EPERM: "STORAGE_DENIED",
    errno.EROFS: "STORAGE_DENIED",
    errno.ENOENT: "STORAGE_MISSING",
    errno.ENOTDIR: "STORAGE_MISSING",
    errno.EISDIR: "STORAGE_MISSING",
    errno.ENOSPC: "STORAGE_FULL",
    errno.EDQUOT: "STORAGE_FULL",
    errno.EFBIG: "STORAGE_FULL",
    errno.ENAMETOOLONG: "KEY_INVALID",
    errno.EILSEQ: "KEY_INVALID",
    errno.EINVAL: "KEY_INVALID",
}

_KINDS: dict[str, tuple[type[BulkExportError], str]] = {
    "STORAGE_DENIED": (RefusedError, "Give the exporter the right to read, list and write there."),
    "STORAGE_MISSING": (RefusedError, "Create the directory or bucket, or correct the storage location."),
    "STORAGE_FULL": (TransientError, "Make room, then run again: what is already delivered is not sent twice."),
    "KEY_INVALID": (DefinitionError, "Shorten the storage location's path or the export's name."),
    "STORAGE_CONFLICT": (
        RefusedError,
        "Somebody else has written there: see what it is and remove it, or run the export again as a new run.",
    ),
    "STORAGE_EXPIRED": (TransientError, "Renew the credentials of the connection, then run again."),
    "STORAGE_CLOCK": (TransientError, "Set this machine's clock (NTP), then run again."),
    "STORAGE_UNREACHABLE": (TransientError, "Check that the storage is up and reachable, then run again."),
}


def storage_error(code: str, doing: str, where: str, cause: str) -> BulkExportError:
    """Error for a failure of kind `code`.

    Args:
        code: a line of the table above.
        doing: what was tried, such as `write`.
        where: address of the object or root.
        cause: in the words of the system or service.
    """
    kind, hint = _KINDS[code]
    return kind(code, f"Could not {doing} {where}: {cause}", hint=hint)


def from_os_error(error: OSError, doing: str, where: str) -> BulkExportError:
    """What an operating system's error means for a local storage."""
    code = _BY_ERRNO.get(error.errno or 0, "STORAGE_UNREACHABLE")
    return storage_error(code, doing, where, error.strerror or type(error).__name__)


@contextmanager
def os_faults(doing: str, where: str) -> Iterator[None]:
    """Turn every `OSError` inside into the product's error."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, doing, where) from error
