"""Find and open the Parquet files of a contact store.

For DuckDB and pyarrow; on a disk, or in a bucket.

A bucket's files are read in place, range by range, through a file system that DuckDB is handed. Nothing is copied, and
DuckDB needs no extension.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol

from bulk_export.contacts.bucket_files import BucketFiles
from bulk_export.errors import BulkExportError, DefinitionError, RefusedError, TransientError, error_of
from bulk_export.storage.capabilities import local_path
from bulk_export.storage.faults import Cause, cause_of, words_of

if TYPE_CHECKING:
    import duckdb

    from bulk_export.storage.base import Storage

FOLDER = "contacts"
_CODES = {Cause.DENIED: "STORE_DENIED", Cause.EXHAUSTED: "MACHINE_EXHAUSTED"}
_FOOTERS_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A Parquet file of the catalogue.

    Attributes:
        name: path below the store's root, for messages and key=value directories.
        address: what DuckDB opens.
        identity: another one when the file was replaced.
    """

    name: str
    address: str
    identity: tuple[object, ...]


class Catalog(Protocol):
    """The files of one contact store."""

    footers_at_once: int

    def files(self) -> list[FoundFile]:
        """Every file in order.

        Raises:
            DefinitionError: STORE_INVALID, there is no such folder.
            RefusedError: STORE_DENIED.
            TransientError: STORE_UNREACHABLE.
        """
        ...

    def open(self, file: FoundFile) -> Path | BinaryIO:
        """The file for pyarrow."""
        ...

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let this DuckDB open the addresses."""
        ...

    def fault(self) -> BulkExportError | None:
        """The failure of reading behind DuckDB's last error; asked once."""
        ...


def open_catalog(root: Storage) -> Catalog:
    """The catalogue below a store's root."""
    folder = local_path(root, "")
    return LocalCatalog(folder, root.uri) if folder is not None else BucketCatalog(root)


class LocalCatalog:
    """Files below a directory."""

    footers_at_once = 1

    def __init__(self, root: Path, uri: str) -> None:
        self._root, self._uri = root, uri

    def files(self) -> list[FoundFile]:
        """Every `*.parquet` file below the folder.

        What starts with a dot or an underscore is unfinished or foreign.
        """
        folder = self._root / FOLDER
        with store_faults(self._uri):
            there = folder.is_dir()
        if not there:
            raise DefinitionError(
                "STORE_INVALID",
                f"contact store {self._uri} has no folder '{FOLDER}'",
                hint="Check contact_store.uri in settings.yaml; the catalogue is <uri>/contacts/**/*.parquet.",
            )
        found: list[FoundFile] = []
        with store_faults(self._uri):
            for directory, names, files in os.walk(folder, onerror=_stop):
                names[:] = [name for name in names if name[0] not in "._"]
                for name in files:
                    if name.endswith(".parquet") and name[0] not in "._":
                        found.append(self._found(Path(directory, name)))
        return sorted(found, key=lambda file: Path(file.address))

    def _found(self, path: Path) -> FoundFile:
        # A file that was replaced has another size or time, so a long-lived store sees it.
        status = path.stat()
        name = path.relative_to(self._root).as_posix()
        return FoundFile(name, str(path), (name, status.st_size, status.st_mtime_ns))

    def open(self, file: FoundFile) -> Path:
        """Where DuckDB and pyarrow find it: on this machine."""
        return Path(file.address)

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """DuckDB knows disks."""

    def fault(self) -> None:
        """DuckDB's own errors say enough."""


class BucketCatalog:
    """Files below a prefix of a bucket."""

    footers_at_once = _FOOTERS_AT_ONCE

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._files = BucketFiles(storage)

    def files(self) -> list[FoundFile]:
        """Every `*.parquet` of the listing."""
        with store_faults(self._storage.uri):
            entries = [entry for entry in self._storage.list(f"{FOLDER}/") if _belongs(entry.key)]
        return [
            FoundFile(entry.key, self._files.add(entry), (entry.key, entry.bytes, entry.version)) for entry in entries
        ]

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


class store_faults:  # noqa: N801 - a context manager, named as the functions of its kind
    """Turn failures of reading the store into the store's own errors."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def __enter__(self) -> None:
        """Nothing to open."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise what the failure means."""
        if isinstance(error, OSError):
            code = _CODES.get(cause_of(error), "STORE_UNREACHABLE")
            place = f" at {error.filename}" if error.filename else ""
            raise error_of(code, f"contact store {self._uri} cannot be read{place}: {words_of(error)}") from error
        if isinstance(error, RefusedError | TransientError):
            raise store_fault(self._uri, error) from None


def store_fault(uri: str, error: BulkExportError) -> BulkExportError:
    """A storage's error as one of the contact store.

    One that is not about storage stays what it is.
    """
    if not error.code.startswith("STORAGE_"):
        return error
    words = f"contact store {uri} cannot be read: {error.message}"
    if isinstance(error, RefusedError):
        return RefusedError("STORE_DENIED", words, hint="Give the exporter the rights to list and get there.")
    return TransientError("STORE_UNREACHABLE", words, hint=error.hint)


def _belongs(key: str) -> bool:
    return key.endswith(".parquet") and not any(part[0] in "._" for part in key.split("/")[1:])


def _stop(error: OSError) -> None:
    raise error
