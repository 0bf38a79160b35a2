"""What botocore's errors mean, in the terms of `faults.py`. Nothing of a request or its signature is repeated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bulk_export.storage.faults import storage_error

_CAUSE_LENGTH = 300
_GONE = frozenset({"NoSuchKey", "NotFound", "404"})
_CODES: dict[str, str] = {
    "NoSuchBucket": "STORAGE_MISSING",
    "ExpiredToken": "STORAGE_EXPIRED",
    "TokenRefreshRequired": "STORAGE_EXPIRED",
    "RequestTimeTooSkewed": "STORAGE_CLOCK",
    "QuotaExceeded": "STORAGE_FULL",
    "XMinioStorageFull": "STORAGE_FULL",
}
_UNAUTHORIZED, _FORBIDDEN, _CONFLICT, _PRECONDITION_FAILED, _INSUFFICIENT_STORAGE = 401, 403, 409, 412, 507
_STATUSES: dict[int, str] = {
    _UNAUTHORIZED: "STORAGE_DENIED",
    _FORBIDDEN: "STORAGE_DENIED",
    _INSUFFICIENT_STORAGE: "STORAGE_FULL",
}
_NOT_OFFERED = frozenset({"NotImplemented", "MethodNotAllowed", "InvalidObjectState", "InvalidRequest"})


class PreconditionError(Exception):
    """The object is there already, or is another version by now."""


class NotOfferedError(Exception):
    """The service does not do this, or not with this object."""


class UploadGoneError(Exception):
    """The unfinished upload is there no more: completed by a request whose answer was lost, or removed."""


@contextmanager
def s3_faults(doing: str, where: str) -> Iterator[None]:
    """Turn every error of botocore inside into the product's, or into one of this module's."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        code, status = str(answer.get("Code", "")), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _GONE:
            raise FileNotFoundError(f"no such object: {where}") from None
        if code == "NoSuchUpload":
            raise UploadGoneError(where) from None
        if status == _PRECONDITION_FAILED:
            raise PreconditionError(where) from None
        if code in _NOT_OFFERED:
            raise NotOfferedError(where) from None
        kind = _CODES.get(code) or _STATUSES.get(status, "STORAGE_UNREACHABLE")
        cause = ": ".join(part for part in (code, str(answer.get("Message", ""))) if part)
        raise storage_error(kind, doing, where, cause[:_CAUSE_LENGTH]) from None
    except NoCredentialsError:
        raise storage_error("STORAGE_DENIED", doing, where, "there are no credentials") from None
    except (BotoCoreError, OSError) as error:
        raise storage_error("STORAGE_UNREACHABLE", doing, where, type(error).__name__) from None
