"""Decide about a taken key when an object is written once.

| what is stored there | then |
|---|---|
| nothing (any more) | try again: two writers met |
| another size | STORAGE_CONFLICT; it stays as it is |
| the same content: by the service's SHA-256, by its ETag, or by reading it | it counts as written |
| other content of the same size, by one of those | STORAGE_CONFLICT |
| the same size, and nothing may be asked or read | unknown: written over, with the very bytes that were to be written |

The last line is for exporters that may only list and put: a run's directory bears the run's key, so what is there
is an earlier attempt's, and only the bytes that are sent again are proven.
"""

from __future__ import annotations

import hashlib

from bulk_export.errors import RefusedError, UnreadableError
from bulk_export.storage.base import Storage, Stored
from bulk_export.storage.capabilities import Checksums
from bulk_export.storage.faults import storage_error


def already_written(storage: Storage, key: str, stored: Stored, etag: str) -> bool:
    """Whether the stored object is what was to be written.

    False when that is unknown.

    Args:
        storage: where.
        key: the taken key.
        stored: size and digest of what was to be written.
        etag: what its ETag would be; empty where that is not known.

    Raises:
        RefusedError: STORAGE_CONFLICT.
        TransientError: it is not there any more.
    """
    where = f"{storage.uri}/{key}"
    entry = storage.find(key)
    if entry is None:
        raise storage_error("STORAGE_UNREACHABLE", "write", where, "another request for it was under way")
    if entry.bytes != stored.bytes:
        raise conflict(where, f"an object of {entry.bytes} bytes is there, not of {stored.bytes}")
    found = entry.version.strip('"').lower()
    if etag and found == etag:
        return True
    try:
        sha256 = _kept_sha256(storage, key) or _read_sha256(storage, key)
    except (RefusedError, FileNotFoundError):
        return False
    if sha256 != stored.sha256:
        raise conflict(where, "an object of the same size and other content is there")
    return True


def conflict(where: str, cause: str) -> RefusedError:
    """The key holds what this run has not written."""
    error = storage_error("STORAGE_CONFLICT", "write", where, cause)
    assert isinstance(error, RefusedError)
    return error


def _kept_sha256(storage: Storage, key: str) -> str | None:
    return storage.checksum(key) if isinstance(storage, Checksums) else None


def _read_sha256(storage: Storage, key: str) -> str:
    try:
        with storage.open(key) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    except UnreadableError as error:  # of the destination, not of what was to be written
        raise storage_error("STORAGE_UNREACHABLE", "compare", f"{storage.uri}/{key}", error.message) from error
