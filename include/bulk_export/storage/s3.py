"""What S3 offers beyond obstore: multipart uploads that are written once, copies between buckets, stored checksums.

Through botocore, which the Amazon provider brings. It takes five times the processor time of obstore per request, so
only large objects and questions about single objects come here.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from bulk_export.errors import BulkExportError, RefusedError
from bulk_export.storage.content_types import content_type
from bulk_export.storage.retry import Patience
from bulk_export.storage.s3_client import found_access_key, s3_client
from bulk_export.storage.s3_faults import NotOfferedError, PreconditionError, s3_faults
from bulk_export.storage.s3_uploads import upload

LARGEST_COPY_BYTES = 5 * 1024**3  # of one CopyObject
COPY_PART_BYTES = 512 * 1024**2
_DIGEST_BYTES = 32
_MD5_LENGTH = 32
_REFUSED_IN_A_ROW = 3  # copies; then objects pass through this machine without being asked for
_TRIED_TWICE_BYTES = 8 * 1024**2


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
        patience: with failing requests.
        kms_key: encrypts what is written.
    """

    bucket: str
    prefix: str
    config: Mapping[str, str] = field(repr=False)
    provider: Callable[[], object] | None = field(repr=False)
    patience: Patience
    kms_key: str | None = None
    largest_copy_bytes: int = LARGEST_COPY_BYTES
    copy_part_bytes: int = COPY_PART_BYTES
    _may_ask: bool = True
    _copies_refused: int = 0
    _minds_conditions: bool | None = None
    _client: Any = field(default=None, repr=False)
    _making: Lock = field(default_factory=Lock, repr=False)

    @property
    def client(self) -> Any:
        """Made at the first use: importing botocore takes a third of a second."""
        if self._client is not None:
            return self._client
        with self._making:  # one thread makes it, the others wait
            if self._client is None:
                self._client = s3_client(self.config, self.provider, self.patience)
            return self._client

    @property
    def may_copy(self) -> bool:
        """False once copies were refused again and again, or where one would write over what stands there."""
        return self._copies_refused < _REFUSED_IN_A_ROW and self._minds_conditions is not False

    @property
    def encryption(self) -> dict[str, Any]:
        """Arguments of every request that makes an object."""
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key} if self.kms_key else {}

    @property
    def is_amazon(self) -> bool:
        """Whether it is Amazon's own service, not another that speaks its language."""
        return "endpoint" not in self.config

    def full_key(self, key: str) -> str:
        """The key in the bucket."""
        return f"{self.prefix}/{key}" if self.prefix else key

    def where(self, key: str) -> str:
        """The object's address, for messages."""
        return f"s3://{self.bucket}/{self.full_key(key)}"

    def call(self, operation: str, doing: str, key: str, *, body: bytes | None = None, **arguments: Any) -> Any:
        """One request about one object, tried again as patience allows."""

        def once() -> Any:
            with s3_faults(doing, self.where(key)), ExitStack() as stack:
                if body is not None:
                    # As a stream that is closed: botocore would copy bytes, and its objects hold on to what they sent
                    # until the garbage collector comes.
                    arguments["Body"] = stack.enter_context(io.BytesIO(body))
                return getattr(self.client, operation)(Bucket=self.bucket, Key=self.full_key(key), **arguments)

        return self.patience.persist(once)

    def same_account(self, other: S3Service) -> bool:
        """Whether the service takes the other's objects and this bucket's in one request."""
        mine, theirs = self.config.get("endpoint"), other.config.get("endpoint")
        return mine == theirs and self._access_key() == other._access_key() != ""

    def _access_key(self) -> str:
        """The key id requests are signed with at this moment."""
        if self.provider is not None:
            fresh: Any = self.provider()
            return str(fresh["access_key_id"])
        return self.config.get("access_key_id") or found_access_key()

    def describe(self, key: str, version: str = "") -> Described | None:
        """What the service keeps of the object; None where asking is not allowed or the version is another."""
        if not self._may_ask:
            return None
        condition: dict[str, Any] = {"IfMatch": version} if version else {}
        try:
            answer = self.call("head_object", "read", key, ChecksumMode="ENABLED", **condition)
        except RefusedError:
            self._may_ask = False  # one question more per object would only be refused again
            return None
        except (PreconditionError, NotOfferedError):
            return None
        etag = str(answer.get("ETag", "")).strip('"').lower()
        plain = answer.get("ServerSideEncryption") in {None, "AES256"} and "SSECustomerAlgorithm" not in answer
        is_md5 = plain and len(etag) == _MD5_LENGTH and _is_hex(etag)
        return Described(sha256=_whole_sha256(answer), md5=etag if is_md5 else None)

    def copy(self, key: str, source: S3Service, source_key: str, size: int, version: str) -> str | None:
        """Copy an object of the same service here, written once; its SHA-256 when the service has computed it.

        Raises:
            PreconditionError: the key is taken, or the source is another version.
            NotOfferedError: the service does not copy this.
            RefusedError: this bucket's credentials may not read the source, or not write here.
        """
        try:
            sha256 = self._copy(key, source, source_key, size, version)
        except (NotOfferedError, RefusedError):
            self._copies_refused += 1
            raise
        self._copies_refused = 0
        if size <= _TRIED_TWICE_BYTES:
            self._try_condition(key, source, source_key, size, version)
        return sha256

    def _try_condition(self, key: str, source: S3Service, source_key: str, size: int, version: str) -> None:
        """Copy the first object once more: a service that does so writes over what stands there, and copies no more."""
        with self._making:
            if self._minds_conditions is not None:
                return
            self._minds_conditions = True
        try:
            self._copy(key, source, source_key, size, version)
        except (PreconditionError, BulkExportError, FileNotFoundError, NotOfferedError):
            return
        self._minds_conditions = False

    def _copy(self, key: str, source: S3Service, source_key: str, size: int, version: str) -> str | None:
        origin = {"Bucket": source.bucket, "Key": source.full_key(source_key)}
        if size > self.largest_copy_bytes:
            with upload(self, key) as copying:
                copying.copy(origin, version, size, self.copy_part_bytes)
                copying.complete(replace=False)
            return None
        answer = self.call(
            "copy_object",
            "copy",
            key,
            CopySource=origin,
            CopySourceIfMatch=version,
            IfNoneMatch="*",
            ChecksumAlgorithm="SHA256",
            # The bytes and nothing else: no metadata of the source's, and no right to read its tags is needed.
            MetadataDirective="REPLACE",
            TaggingDirective="REPLACE",
            ContentType=content_type(key),
            **self.encryption,
        )
        return _whole_sha256(answer.get("CopyObjectResult", {}))


def _whole_sha256(answer: Mapping[str, Any]) -> str | None:
    """The digest of the whole object; one of the digests of parts (`…-3`) proves nothing about the whole."""
    text = str(answer.get("ChecksumSHA256") or "")
    if not text or "-" in text or answer.get("ChecksumType") == "COMPOSITE":
        return None
    digest = base64.b64decode(text)
    return digest.hex() if len(digest) == _DIGEST_BYTES else None


def _is_hex(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)
