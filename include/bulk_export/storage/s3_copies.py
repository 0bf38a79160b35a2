"""Copies between buckets of one S3 service.

Each is of one version of its source and written once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from bulk_export.errors import BulkExportError, RefusedError
from bulk_export.storage.content_types import content_type
from bulk_export.storage.s3_answers import NotOfferedError, PreconditionError
from bulk_export.storage.s3_service import S3Service, whole_sha256
from bulk_export.storage.s3_uploads import upload

LARGEST_COPY_BYTES = 5 * 1024**3  # of one CopyObject
COPY_PART_BYTES = 512 * 1024**2
_REFUSED_IN_A_ROW = 3  # copies; then objects pass through this machine without being asked for
_TRIED_TWICE_BYTES = 8 * 1024**2


@dataclass
class S3Copies:
    """Copies into one bucket, and what its service has shown of them.

    Attributes:
        service: the bucket that copies are written to.
        largest_copy_bytes: larger objects are copied in parts.
        copy_part_bytes: size of those.
    """

    service: S3Service
    largest_copy_bytes: int = LARGEST_COPY_BYTES
    copy_part_bytes: int = COPY_PART_BYTES
    _refused: int = 0
    _heeds_conditions: bool | None = None
    _trying: Lock = field(default_factory=Lock, repr=False)

    @property
    def allowed(self) -> bool:
        """Whether to ask for copies.

        False once they were refused again and again, or where one would overwrite an existing object.
        """
        return self._refused < _REFUSED_IN_A_ROW and self._heeds_conditions is not False

    def copy(self, key: str, source: S3Service, source_key: str, size: int, version: str) -> str | None:
        """Copy one object; its SHA-256 if the service computed it.

        Raises:
            PreconditionError: the key is taken, or the source is another version.
            NotOfferedError: the service does not copy this.
            RefusedError: this bucket's credentials may not read the source, or not write here.
        """
        try:
            sha256 = self._copy(key, source, source_key, size, version)
        except (NotOfferedError, RefusedError):
            self._refused += 1
            raise
        self._refused = 0
        if size <= _TRIED_TWICE_BYTES:
            self._try_condition(key, source, source_key, size, version)
        return sha256

    def _try_condition(self, key: str, source: S3Service, source_key: str, size: int, version: str) -> None:
        """Copy the first object once more: a service that does so ignores conditions, and copies no more."""
        with self._trying:
            if self._heeds_conditions is not None:
                return
            self._heeds_conditions = True
        try:
            self._copy(key, source, source_key, size, version)
        except (PreconditionError, BulkExportError, FileNotFoundError, NotOfferedError):
            return
        self._heeds_conditions = False

    def _copy(self, key: str, source: S3Service, source_key: str, size: int, version: str) -> str | None:
        origin = {"Bucket": source.bucket, "Key": source.full_key(source_key)}
        if size > self.largest_copy_bytes:
            with upload(self.service, key) as copying:
                copying.copy(origin, version, size, self.copy_part_bytes)
                copying.complete(replace=False)
            return None
        answer = self.service.call(
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
            **self.service.encryption,
        )
        return whole_sha256(answer.get("CopyObjectResult", {}))
