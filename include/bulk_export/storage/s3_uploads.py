"""Multipart uploads to S3.

Parts go in parallel, each with its SHA-256; nothing shows or is left unless all arrived.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from bulk_export.errors import BulkExportError
from bulk_export.storage.content_types import content_type
from bulk_export.storage.s3_answers import NotOfferedError, PreconditionError, UploadGoneError
from bulk_export.storage.s3_service import S3Service

PARTS_AT_ONCE = 3


@dataclass(slots=True)
class Upload:
    """An upload under way, to be completed or aborted."""

    service: S3Service
    key: str
    upload_id: str
    parts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def etag(self) -> str:
        """ETag of the completed upload, unless encrypted with a KMS key."""
        digests = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in self._sorted())
        return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(self.parts)}"

    def send(self, pieces: Iterator[bytes]) -> None:
        """Send every piece as a part, a few at a time.

        Memory holds no more than those.
        """
        with ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix="upload") as pool:
            waiting = []
            try:
                for number, piece in enumerate(pieces, start=1):
                    waiting.append(pool.submit(self._send, number, piece))
                    del piece  # the thread has it; one part less in memory
                    if len(waiting) >= PARTS_AT_ONCE:
                        self.parts.append(waiting.pop(0).result())
                self.parts += [part.result() for part in waiting]
            except BaseException:
                for part in waiting:
                    part.cancel()
                raise

    def copy(self, source: dict[str, str], version: str, size: int, part_bytes: int) -> None:
        """Have the service copy an object of its own into the parts."""

        def copy_part(number: int) -> dict[str, Any]:
            first = (number - 1) * part_bytes
            answer = self.service.call(
                "upload_part_copy",
                "copy",
                self.key,
                UploadId=self.upload_id,
                PartNumber=number,
                CopySource=source,
                CopySourceIfMatch=version,
                CopySourceRange=f"bytes={first}-{min(first + part_bytes, size) - 1}",
            )["CopyPartResult"]
            return _part(number, answer)

        with ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix="copy") as pool:
            self.parts += pool.map(copy_part, range(1, -(-size // part_bytes) + 1))

    def complete(self, *, replace: bool) -> None:
        """Make the object appear.

        Raises:
            PreconditionError: one exists, and `replace` is not set.
        """
        condition: dict[str, Any] = {} if replace else {"IfNoneMatch": "*"}
        self.service.call(
            "complete_multipart_upload",
            "write",
            self.key,
            UploadId=self.upload_id,
            MultipartUpload={"Parts": self._sorted()},
            **condition,
        )

    def abort(self) -> None:
        """Remove the parts, or leave them to the bucket's lifecycle rule."""
        with suppress(BulkExportError, FileNotFoundError, UploadGoneError, PreconditionError):
            self.service.call("abort_multipart_upload", "write", self.key, UploadId=self.upload_id)

    def _send(self, number: int, piece: bytes) -> dict[str, Any]:
        checksum = base64.b64encode(hashlib.sha256(piece).digest()).decode()
        answer = self.service.call(
            "upload_part",
            "write",
            self.key,
            UploadId=self.upload_id,
            PartNumber=number,
            body=piece,
            ChecksumSHA256=checksum,
        )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}

    def _sorted(self) -> list[dict[str, Any]]:
        return sorted(self.parts, key=lambda part: int(part["PartNumber"]))


@contextmanager
def upload(service: S3Service, key: str) -> Iterator[Upload]:
    """An upload that is aborted unless the block ends well."""
    tries = 0

    def begin() -> str:
        nonlocal tries
        tries += 1
        answer = service.request(
            "create_multipart_upload",
            "write",
            key,
            ChecksumAlgorithm="SHA256",
            ContentType=content_type(key),
            **service.encryption,
        )
        return str(answer["UploadId"])

    begun = Upload(service, key, service.retry_policy.call(begin))
    try:
        yield begun
    except BaseException:
        begun.abort()
        raise
    finally:
        if tries > 1:  # a try whose answer was lost may have begun one too
            abort_unfinished(service, key)


def abort_unfinished(service: S3Service, prefix: str) -> int:
    """Abort every upload below a prefix; how many there were.

    0 where listing them is denied.
    """
    found = 0
    with suppress(BulkExportError, NotOfferedError, UploadGoneError):
        for page in service.pages("list_multipart_uploads", "list", prefix):
            for one in page.get("Uploads", ()):
                service.client.request(
                    "abort_multipart_upload",
                    "delete",
                    service.where(prefix),
                    Bucket=service.bucket,
                    Key=one["Key"],
                    UploadId=one["UploadId"],
                )
                found += 1
    return found


def _part(number: int, answer: dict[str, Any]) -> dict[str, Any]:
    part = {"PartNumber": number, "ETag": answer["ETag"]}
    return part | ({"ChecksumSHA256": answer["ChecksumSHA256"]} if "ChecksumSHA256" in answer else {})
