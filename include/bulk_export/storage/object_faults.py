"""What obstore's errors mean, in the terms of `faults.py`.

The cause is quoted without the query of an address (signatures and SAS tokens stand there) and the original error is
not chained, because its text repeats the address in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from bulk_export.storage.faults import storage_error

_CAUSE_LENGTH = 300
_QUERY = re.compile(r"\?[^\s\"')]+")
_CODE = re.compile(r"<Code>(\w+)</Code>(?:.*?<Message>([^<]*)</Message>)?", re.DOTALL)

# What services call a bucket that does not exist, and one that is full.
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "bucket does not exist", "container does not exist")
_FULL = ("507 Insufficient Storage", "QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity")


@contextmanager
def object_faults(doing: str, where: str, *, reading: bool = False) -> Iterator[None]:
    """Turn every error of obstore inside into the product's; while `reading`, an absent object stays what it is."""
    from obstore.exceptions import BaseError

    try:
        yield
    except (BaseError, FileNotFoundError, PermissionError, ValueError) as error:
        code = _code_of(error, reading=reading)
        if code == "":
            raise FileNotFoundError(f"no such object: {where}") from None
        raise storage_error(code, doing, where, _cause(str(error))) from None


def _code_of(error: Exception, *, reading: bool) -> str:
    """The code of `faults.py`; empty for an absent object."""
    from obstore.exceptions import (
        InvalidPathError,
        NotFoundError,
        PermissionDeniedError,
        UnauthenticatedError,
        UnknownConfigurationKeyError,
    )

    text = str(error)
    if any(mark in text for mark in _NO_BUCKET):
        return "STORAGE_MISSING"
    if isinstance(error, NotFoundError | FileNotFoundError):
        return "" if reading else "STORAGE_MISSING"
    if isinstance(error, PermissionDeniedError | UnauthenticatedError | PermissionError):
        return "STORAGE_DENIED"
    if isinstance(error, InvalidPathError | UnknownConfigurationKeyError | ValueError):
        return "KEY_INVALID"
    return "STORAGE_FULL" if any(mark in text for mark in _FULL) else "STORAGE_UNREACHABLE"


def _cause(text: str) -> str:
    if answer := _CODE.search(text):  # the service's own words, without the request it repeats
        return ": ".join(part for part in answer.groups() if part)[:_CAUSE_LENGTH]
    return _QUERY.sub("?…", text.partition("\n")[0])[:_CAUSE_LENGTH]
