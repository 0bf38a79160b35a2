"""Requests to S3 that obstore does not make.

They are about single objects, and large ones.

Through botocore, which the Amazon provider brings. It takes five times the processor time of obstore per request, so
only large objects and questions about single objects come here.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pkgutil import resolve_name
from threading import Lock
from typing import TYPE_CHECKING, Any

from bulk_export.errors import RefusedError
from bulk_export.storage.retry import RetryPolicy
from bulk_export.storage.s3_answers import NotOfferedError, PreconditionError

if TYPE_CHECKING:
    from bulk_export.storage.s3_client import S3Client

# Resolved at the first request: importing botocore takes a third of a second, and small objects do not need it.
_CLIENT = "bulk_export.storage.s3_client:S3Client"
_FOUND_ACCESS_KEY = "bulk_export.storage.s3_client:found_access_key"
_DIGEST_BYTES = 32
_MD5_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Described:
    """What the service says of an object.

    Attributes:
        sha256: hex digest of the whole object that the service checked when it was written; None where it has none.
        md5: the same as MD5, where the ETag is one.
    """

    sha256: str | None
    md5: str | None


@dataclass
class S3Service:
    """One bucket and prefix, as botocore sees it.

    Attributes:
        bucket: its name.
        prefix: of every key, without slashes at its ends.
        config: obstore's options for it, environment included.
        provider: gives its key; None when `config` holds one, or botocore shall look for one.
        retry_policy: for failing requests.
        kms_key: encrypts what is written.
    """

    bucket: str
    prefix: str
    config: Mapping[str, str] = field(repr=False)
    provider: Callable[[], object] | None = field(repr=False)
    retry_policy: RetryPolicy
    kms_key: str | None = None
    _may_describe: bool = True
    _client: S3Client | None = field(default=None, repr=False)
    _connecting: Lock = field(default_factory=Lock, repr=False)

    @property
    def client(self) -> S3Client:
        """The client, made at its first use."""
        if self._client is None:
            with self._connecting:  # one thread makes it, the others wait
                if self._client is None:
                    self._client = resolve_name(_CLIENT)(self.config, self.provider, self.retry_policy)
        return self._client

    @property
    def encryption(self) -> dict[str, Any]:
        """Arguments of every request that makes an object."""
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key} if self.kms_key else {}

    @property
    def is_amazon(self) -> bool:
        """Whether it is Amazon's own service, not a compatible one."""
        return "endpoint" not in self.config

    def full_key(self, key: str) -> str:
        """The key in the bucket."""
        return f"{self.prefix}/{key}" if self.prefix else key

    def where(self, key: str) -> str:
        """The object's address, for messages."""
        return f"s3://{self.bucket}/{self.full_key(key)}"

    def request(self, operation: str, doing: str, key: str, **arguments: Any) -> Any:
        """One request about one object, tried once."""
        return self.client.request(
            operation, doing, self.where(key), Bucket=self.bucket, Key=self.full_key(key), **arguments
        )

    def call(self, operation: str, doing: str, key: str, *, body: bytes | None = None, **arguments: Any) -> Any:
        """One request about one object, tried again as the retry policy allows."""

        def once() -> Any:
            with ExitStack() as stack:
                if body is not None:
                    # As a stream that is closed: botocore would copy bytes, and its objects hold on to what they sent
                    # until the garbage collector comes.
                    arguments["Body"] = stack.enter_context(io.BytesIO(body))
                return self.request(operation, doing, key, **arguments)

        return self.retry_policy.call(once)

    def pages(self, operation: str, doing: str, prefix: str, **arguments: Any) -> Iterator[Any]:
        """Pages of an operation that lists; nothing is tried again."""
        where, full = self.where(prefix), self.full_key(prefix)
        return self.client.pages(operation, doing, where, Bucket=self.bucket, Prefix=full, **arguments)

    def same_account(self, other: S3Service) -> bool:
        """Whether one request may name objects of both buckets."""
        mine, theirs = self.config.get("endpoint"), other.config.get("endpoint")
        return mine == theirs and self._access_key() == other._access_key() != ""

    def describe(self, key: str, version: str = "") -> Described | None:
        """Checksums the service keeps of the object.

        None where asking is not allowed or the version is another.
        """
        if not self._may_describe:
            return None
        condition: dict[str, Any] = {"IfMatch": version} if version else {}
        try:
            answer = self.call("head_object", "read", key, ChecksumMode="ENABLED", **condition)
        except RefusedError:
            self._may_describe = False  # one question more per object would only be refused again
            return None
        except (PreconditionError, NotOfferedError):
            return None
        etag = str(answer.get("ETag", "")).strip('"').lower()
        plain = answer.get("ServerSideEncryption") in {None, "AES256"} and "SSECustomerAlgorithm" not in answer
        is_md5 = plain and len(etag) == _MD5_LENGTH and _is_hex(etag)
        return Described(sha256=whole_sha256(answer), md5=etag if is_md5 else None)

    def _access_key(self) -> str:
        """The key id requests are signed with at this moment."""
        if self.provider is not None:
            fresh: Any = self.provider()
            return str(fresh["access_key_id"])
        return self.config.get("access_key_id") or str(resolve_name(_FOUND_ACCESS_KEY)())


def whole_sha256(answer: Mapping[str, Any]) -> str | None:
    """Digest of the whole object in an answer of the service.

    One of the digests of parts (`…-3`) proves nothing about the whole.
    """
    text = str(answer.get("ChecksumSHA256") or "")
    if not text or "-" in text or answer.get("ChecksumType") == "COMPOSITE":
        return None
    digest = base64.b64decode(text)
    return digest.hex() if len(digest) == _DIGEST_BYTES else None


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)
