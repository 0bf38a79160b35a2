"""Reading verbs of a bucket.

Every request is tried again, every whole object compared with the checksum its service gives.

TLS protects bytes on their way; an endpoint without it, or a proxy in between, does not. So what arrives whole is
compared with the ETag where that is an MD5, and what streams with the SHA-256 or MD5 the service tells.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from bulk_export.errors import DefinitionError, RefusedError, UnreadableError
from bulk_export.storage.base import ByteRange, Entry, Fetched
from bulk_export.storage.faults import unreadable
from bulk_export.storage.object_stream import RANGE_BYTES, ObjectStream
from bulk_export.storage.read_requests import ReadRequests, UnlistableKeyError
from bulk_export.storage.retry import RetryPolicy

if TYPE_CHECKING:
    from bulk_export.storage.s3_service import Described

_MD5_LENGTH = 32


class ObjectReader:
    """The reading verbs of one bucket and prefix.

    Args:
        requests: ask the service.
        uri: address of bucket and prefix.
        retry_policy: for failing requests.
        describe: the checksums that the service keeps of a key in a version, where it keeps any: then its ETags are
            taken for MD5s until one shows otherwise.
        exactly: lists keys that are no paths, where the service can be asked for them.
    """

    def __init__(
        self,
        requests: ReadRequests,
        uri: str,
        retry_policy: RetryPolicy,
        describe: Callable[[str, str], Described | None] | None = None,
        exactly: ReadRequests | None = None,
    ) -> None:
        self._requests, self._exactly, self._uri = requests, exactly, uri
        self._retry_policy, self._describe = retry_policy, describe
        self._etags_are_md5 = describe is not None
        self._doubtful: dict[str, str] = {}
        self._may_head = True

    def fetch(self, key: str, max_bytes: int) -> Fetched:
        """Size of the object, and its bytes up to `max_bytes`.

        The connection is given up where the object is larger.
        """
        return self._retry_policy.call(lambda: self._fetch(key, max_bytes))

    def open(self, key: str, byte_range: ByteRange | None) -> BinaryIO:
        """A small object as fetched, a large one range by range."""
        if byte_range is not None:
            return io.BytesIO(self._read_range(key, byte_range))
        fetched = self.fetch(key, RANGE_BYTES)
        if fetched.content is not None:
            return io.BytesIO(fetched.content)
        raw = ObjectStream(
            fetched.bytes,
            read=lambda start, length: self._read_range(key, ByteRange(start, length, fetched.version)),
            check=lambda sha256, md5: self._check(key, fetched.version, sha256, md5),
        )
        return cast("BinaryIO", io.BufferedReader(raw, buffer_size=RANGE_BYTES))

    def find(self, key: str) -> Entry | None:
        """Size and version of the object, None when it is absent."""
        try:
            if self._may_head:
                return self._retry_policy.call(lambda: self._requests.head(key))
        except FileNotFoundError:
            return None
        except RefusedError as error:
            if error.code != "STORAGE_DENIED":
                raise
            self._may_head = False  # asking is reading, listing may be allowed all the same
        return next((entry for entry in self.entries(key) if entry.key == key), None)

    def entries(self, prefix: str) -> Iterator[Entry]:
        """Every object whose key starts with `prefix`, page by page.

        A page that fails is asked for again.
        """
        try:
            yield from self._listed(self._requests, prefix, None)
        except UnlistableKeyError as error:
            if self._exactly is None:
                raise DefinitionError(
                    "KEY_INVALID",
                    f"{self._where(prefix)} holds an object whose key has empty, '.' or '..' parts",
                    hint="Move that object: keys that are no paths can be read from S3 alone.",
                ) from error
            yield from self._listed(self._exactly, prefix, error.after)

    def _listed(self, requests: ReadRequests, prefix: str, after: str | None) -> Iterator[Entry]:
        pages = requests.pages(prefix, after)
        while page := self._retry_policy.call(pages.next):
            for found in page:
                if found.key.startswith(prefix):
                    yield found

    def _where(self, key: str) -> str:
        return f"{self._uri}/{key}"

    def _fetch(self, key: str, max_bytes: int) -> Fetched:
        fetched = self._requests.get(key, max_bytes)
        if fetched.content is not None:
            if len(fetched.content) != fetched.bytes:
                raise self._damaged(key, f"{len(fetched.content)} of {fetched.bytes} bytes arrived")
            self._check_whole(key, fetched.version, fetched.content)
        return fetched

    def _read_range(self, key: str, wanted: ByteRange) -> bytes:
        if wanted.length <= 0:
            return b""
        return self._retry_policy.call(
            lambda: self._requests.get_range(key, wanted.start, wanted.length, wanted.version)
        )

    def _check_whole(self, key: str, version: str, content: bytes) -> None:
        etag = version.strip('"').lower()
        if not self._etags_are_md5 or len(etag) != _MD5_LENGTH:
            return
        md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if md5 == etag:
            return
        sha256 = hashlib.sha256(content).hexdigest()
        if not self._check(key, version, sha256, md5) and self._doubtful.get(key) != sha256:
            self._doubtful[key] = sha256
            raise self._damaged(key, "its MD5 is not its ETag")
        # Encrypted with a key of its own, or the same bytes twice: the ETags of this service are something else.
        self._etags_are_md5 = False

    def _check(self, key: str, version: str, sha256: str, md5: str) -> bool:
        """Whether the service vouches for these bytes; `TransientError` when it vouches for others."""
        described = self._describe(key, version) if self._describe else None
        if described is None:
            return False
        expected, found = (described.sha256, sha256) if described.sha256 else (described.md5, md5)
        if expected is not None and expected != found:
            raise self._damaged(key, "its bytes are not what the service's checksum says")
        return True

    def _damaged(self, key: str, cause: str) -> UnreadableError:
        return unreadable(self._where(key), cause)
