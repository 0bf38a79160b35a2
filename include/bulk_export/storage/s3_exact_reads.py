"""Read S3 objects by keys that are no paths.

Those have empty, `.` or `..` parts, or a slash at an end.

S3 keys are bytes: `media//1.wav` and `media/1.wav` are two objects. obstore takes keys for paths and refuses such ones,
so botocore asks for them, as they are written. Only they come here: a request costs five times the processor time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bulk_export.errors import TransientError
from bulk_export.storage.base import Entry, Fetched
from bulk_export.storage.faults import storage_error
from bulk_export.storage.read_requests import Pages
from bulk_export.storage.s3_answers import PreconditionError
from bulk_export.storage.s3_service import S3Service


class S3ExactRequests:
    """The requests of one bucket and prefix, through botocore."""

    def __init__(self, service: S3Service) -> None:
        self._service = service

    def get(self, key: str, max_bytes: int) -> Fetched:
        """One request; the connection is given up where the object is larger."""
        answer = self._service.request("get_object", "read", key)
        size, version = answer["ContentLength"], answer.get("ETag", "")
        if size <= max_bytes:
            return Fetched(size, self._body(answer, key), version)
        answer["Body"].close()
        return Fetched(size, None, version)

    def head(self, key: str) -> Entry:
        """A HEAD request."""
        answer = self._service.request("head_object", "find", key)
        return Entry(key, answer["ContentLength"], answer.get("ETag", ""))

    def get_range(self, key: str, start: int, length: int, version: str) -> bytes:
        """A range request on the condition that the version is the same."""
        condition = {"IfMatch": version} if version else {}
        wanted = f"bytes={start}-{start + length - 1}"
        try:
            return self._body(self._service.request("get_object", "read", key, Range=wanted, **condition), key)
        except PreconditionError:
            raise self._broken(key, "it is of another version by now") from None

    def pages(self, prefix: str, after: str | None = None) -> Pages:
        """Every key with the prefix, behind another."""
        return _ServicePages(self._service, prefix, after)

    def _body(self, answer: Any, key: str) -> bytes:
        try:
            with answer["Body"] as body:
                return bytes(body.read())
        except Exception as error:  # whatever botocore and urllib3 call a connection that broke
            raise self._broken(key, type(error).__name__) from None

    def _broken(self, key: str, cause: str) -> TransientError:
        error = storage_error("STORAGE_UNREACHABLE", "read", self._service.where(key), cause)
        assert isinstance(error, TransientError)
        return error


class _ServicePages:
    """A listing of keys as they are, begun anew behind the last one seen when it breaks."""

    def __init__(self, service: S3Service, prefix: str, after: str | None) -> None:
        self._service, self._prefix, self._after = service, prefix, after
        self._pages: Iterator[Any] | None = None

    def next(self) -> Sequence[Entry]:
        """The next page; an empty one at the end."""
        try:
            answer: Any = next(self._begun(), {})
        except TransientError:
            self._pages = None
            raise
        cut = len(self._service.full_key(""))
        found = [Entry(one["Key"][cut:], one["Size"], one.get("ETag", "")) for one in answer.get("Contents", ())]
        if found:
            self._after = found[-1].key
        return found

    def _begun(self) -> Iterator[Any]:
        if self._pages is None:
            behind = {"StartAfter": self._service.full_key(self._after)} if self._after else {}
            self._pages = self._service.pages("list_objects_v2", "list", self._prefix, **behind)
        return self._pages
