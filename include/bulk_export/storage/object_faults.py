"""What obstore's errors mean, in the terms of `faults.py`.

The cause is quoted without the query of an address (which holds signatures and SAS tokens) and the original error is
not chained, because its text repeats the address in full.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError

from bulk_export.storage.faults import storage_error

_CAUSE_LENGTH = 300
_QUERY = re.compile(r"\?[^\s\"')]+")
_CODE = re.compile(r"<Code>(\w+)</Code>(?:.*?<Message>([^<]*)</Message>)?", re.DOTALL)

# What services call it. The text is read because obstore types only some of its errors: a refused listing or part of
# an upload comes as a generic one.
_MARKS: dict[str, tuple[str, ...]] = {
    "STORAGE_EXPIRED": ("ExpiredToken", "TokenRefreshRequired", "token is expired"),
    "STORAGE_CLOCK": ("RequestTimeTooSkewed",),
    "STORAGE_MISSING": ("NoSuchBucket", "ContainerNotFound", "bucket does not exist", "container does not exist"),
    "STORAGE_DENIED": (
        *("AccessDenied", "403 Forbidden", "401 Unauthorized", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
        *("AuthorizationPermissionMismatch", "AuthenticationFailed"),
    ),
    "STORAGE_FULL": ("507 Insufficient Storage", "QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity"),
}


@contextmanager
def object_faults(doing: str, where: str, *, reading: bool = False) -> Iterator[None]:
    """Turn every error of obstore inside into the product's.

    `FileExistsError` for what is written once and there, `NotImplementedError` for what the service does not know;
    while `reading`, `FileNotFoundError` for what is absent.
    """
    try:
        yield
    except AlreadyExistsError:
        raise FileExistsError(where) from None
    except (BaseError, OSError, ValueError) as error:
        if "<Code>NotImplemented</Code>" in str(error):
            raise NotImplementedError(where) from None
        code = _code_of(error, reading=reading)
        if code == "":
            raise FileNotFoundError(f"no such object: {where}") from None
        raise storage_error(code, doing, where, _cause(str(error))) from None


def _code_of(error: Exception, *, reading: bool) -> str:
    """The code of `faults.py`; empty for an absent object."""
    text = str(error)
    for code, marks in _MARKS.items():
        if any(mark in text for mark in marks):
            return code
    if isinstance(error, FileNotFoundError):
        return "" if reading else "STORAGE_MISSING"
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return "STORAGE_DENIED"
    return "KEY_INVALID" if isinstance(error, ValueError) else "STORAGE_UNREACHABLE"


def _cause(text: str) -> str:
    if answer := _CODE.search(text):  # the service's own words, without the request it repeats
        return ": ".join(part for part in answer.groups() if part)[:_CAUSE_LENGTH]
    return _QUERY.sub("?…", text.partition("\n")[0])[:_CAUSE_LENGTH]
