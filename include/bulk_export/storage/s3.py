"""Storage in a bucket of S3.

Large objects are written once too; the service copies by itself and keeps checksums.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from bulk_export.storage.base import Fetched, Storage, Stored
from bulk_export.storage.capabilities import ByteKeys, Checksums, ServerCopy, UnfinishedWrites
from bulk_export.storage.keys import check_key, check_prefix, is_path
from bulk_export.storage.object_reads import ObjectReader
from bulk_export.storage.objects import ObjectStorage
from bulk_export.storage.s3_answers import NotOfferedError, PreconditionError, UploadGoneError
from bulk_export.storage.s3_copies import S3Copies
from bulk_export.storage.s3_exact_reads import S3ExactRequests
from bulk_export.storage.s3_service import S3Service
from bulk_export.storage.s3_uploads import Upload, abort_unfinished, upload
from bulk_export.storage.server_copy import S3Bucket, server_copy
from bulk_export.storage.sources import Tally
from bulk_export.storage.written_once import already_written, conflict

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class S3Storage(ObjectStorage, ServerCopy, Checksums, UnfinishedWrites, ByteKeys):
    """A bucket and prefix of Amazon S3 or a compatible service.

    Args:
        store: obstore's, opened at the prefix.
        uri: address of bucket and prefix.
        service: the same bucket, for what obstore does not do.
    """

    def __init__(self, store: ObjectStore, uri: str, service: S3Service) -> None:
        # Compatible servers need not list in key order.
        exactly = S3ExactRequests(service)
        super().__init__(
            store,
            uri,
            retry_policy=service.retry_policy,
            describe=service.describe,
            ordered=service.is_amazon,
            exactly=exactly,
        )
        self._exact_reader = ObjectReader(exactly, self.uri, service.retry_policy, service.describe)
        self.service = service
        self.copies = S3Copies(service)

    def copy(self, key: str, source: Storage, source_key: str, fetched: Fetched) -> Stored | None:
        """Have the service copy; None where it cannot."""
        check_key(key)
        if not isinstance(source, S3Storage) or not is_path(source_key):
            return None
        self.before_change()
        into, origin = S3Bucket(self, self.service), S3Bucket(source, source.service)
        return server_copy(self.copies, into, key, origin, source_key, fetched)

    def checksum(self, key: str) -> str | None:
        """SHA-256 the service keeps of the object; None where asking is denied."""
        check_key(key)
        described = self.service.describe(key)
        return described.sha256 if described else None

    def sweep(self, prefix: str = "") -> int:
        """Abort the uploads that killed writers left unfinished; how many."""
        check_prefix(prefix)
        self.before_change()
        return abort_unfinished(self.service, prefix)

    @cached_property
    def by_bytes(self) -> Storage:
        """The same objects, read by keys as they are written."""
        return _ByBytes(self._store, self.uri, self.service)

    def _put_parts(self, key: str, pieces: Iterator[bytes], *, replace: bool) -> Stored:
        tally = Tally()
        with upload(self.service, key) as begun:
            begun.send(tally.counted(pieces))
            self._complete(begun, key, tally.stored(), replace=replace)
        return tally.stored()

    def _complete(self, begun: Upload, key: str, stored: Stored, *, replace: bool) -> None:
        self.before_change()
        try:
            begun.complete(replace=replace)
        except PreconditionError:
            if already_written(self, key, stored, begun.etag):
                begun.abort()
            else:
                begun.complete(replace=True)
        except UploadGoneError:  # completed by a try whose answer was lost
            if not already_written(self, key, stored, begun.etag):
                raise conflict(f"{self.uri}/{key}", "an unfinished upload was removed by somebody else") from None
        except NotOfferedError:  # a service without conditions
            if not replace and self.find(key) is not None and already_written(self, key, stored, begun.etag):
                begun.abort()
            else:
                begun.complete(replace=True)


class _ByBytes(S3Storage):
    """A bucket whose objects are read by any key."""

    def _reader_of(self, key: str) -> ObjectReader:
        if is_path(key) or not key or "\0" in key:
            return super()._reader_of(key)
        return self._exact_reader
