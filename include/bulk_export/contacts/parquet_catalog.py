"""Open the catalogue of a contact store.

It is on a disk or in a bucket.

A bucket's files are read in place, range by range, through a file system that DuckDB is handed. Nothing is copied, and
DuckDB needs no extension.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from bulk_export.contacts.bucket_files import BucketFiles
from bulk_export.contacts.catalog_faults import store_fault, store_faults
from bulk_export.contacts.catalog_files import FOLDER, SUFFIX, Catalog, FoundFile, Listing, is_hidden, unusable
from bulk_export.contacts.lake_tables import lake_table_problem
from bulk_export.contacts.local_catalog import LocalCatalog
from bulk_export.errors import BulkExportError
from bulk_export.storage.capabilities import local_path

if TYPE_CHECKING:
    import duckdb

    from bulk_export.storage.base import Storage

_FOOTERS_AT_ONCE = 16


def open_catalog(root: Storage, allowed: Sequence[Path] = ()) -> Catalog:
    """The catalogue below a store's root.

    Args:
        root: the store's.
        allowed: directories that links of a catalogue on this machine may lead into, beside the root.
    """
    folder = local_path(root, "")
    return LocalCatalog(folder, root.uri, allowed) if folder is not None else BucketCatalog(root)


class BucketCatalog:
    """Files below a prefix of a bucket."""

    footers_at_once = _FOOTERS_AT_ONCE

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._files = BucketFiles(storage)

    def listing(self) -> Listing:
        """What the bucket's listing shows, by the rules of directories."""
        with store_faults(self._storage.uri):
            entries = [*self._storage.list(f"{FOLDER}/")]
        folders = {key for entry in entries for key in _folders_of(entry.key)}
        listing = Listing([], [])
        lakes: set[str] = set()
        for entry in entries:
            if lake := lake_table_problem(entry.key):
                if lake[0] not in lakes:
                    lakes.add(lake[0])
                    listing.files.append(unusable(*lake))
            elif any(is_hidden(part) for part in entry.key.split("/")[1:]) or entry.key in folders:
                continue  # unfinished, foreign, or what stands for a folder
            elif entry.key.endswith(SUFFIX):
                identity = (entry.key, entry.bytes, entry.version)
                listing.files.append(FoundFile(entry.key, self._files.add(entry), identity))
            elif not entry.key.endswith("/"):
                listing.unread.append(entry.key)
        return listing

    def open(self, file: FoundFile) -> BinaryIO:
        """A seekable stream of its ranges."""
        return self._files.open(file.address)

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Hand DuckDB the file system."""
        connection.register_filesystem(self._files.file_system())

    def fault(self) -> BulkExportError | None:
        """The failure behind DuckDB's error."""
        fault = self._files.take_fault()
        return None if fault is None else store_fault(self._storage.uri, fault)


def _folders_of(key: str) -> Iterator[str]:
    """The folders that hold an object, as keys."""
    while "/" in key:
        key = key.rpartition("/")[0]
        yield key
