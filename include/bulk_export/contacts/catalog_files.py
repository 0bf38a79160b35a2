"""Parquet files of a catalogue, and what cannot be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Protocol

if TYPE_CHECKING:
    import duckdb

    from bulk_export.errors import BulkExportError

FOLDER = "contacts"
SUFFIX = ".parquet"
_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A Parquet file of the catalogue, or an unusable place.

    Attributes:
        name: path below the store's root, for messages and key=value directories.
        address: what DuckDB opens.
        identity: another one when the file was replaced.
        problem: why it cannot be read; empty for a file that can.
    """

    name: str
    address: str
    identity: tuple[object, ...]
    problem: str = ""


class Listing(NamedTuple):
    """A catalogue as it is found.

    Attributes:
        files: every Parquet file in order, and every place that cannot be read.
        unread: names of files that are none by their name.
    """

    files: list[FoundFile]
    unread: list[str]


class Catalog(Protocol):
    """The files of one contact store."""

    footers_at_once: int

    def listing(self) -> Listing:
        """What is there now.

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


def unusable(name: str, problem: str) -> FoundFile:
    """A place of the catalogue that cannot be read."""
    return FoundFile(name, "", (name, problem), problem)


def is_hidden(name: str) -> bool:
    """Whether a file or directory is unfinished or foreign by its name.

    A key=value directory may begin with an underscore.
    """
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def exact_pattern(address: str) -> str:
    """The pattern that means one file.

    DuckDB takes `*`, `?` and `[` of a name for patterns, and opens other files that match.
    """
    return _PATTERN.sub(lambda found: f"[{found[0]}]", address)


def name_problem(name: str) -> str:
    """Why a name cannot be opened; empty where it can."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "has a name that is not UTF-8: rename it"
    if "\\" in name and _PATTERN.search(name):
        return "has a backslash beside *, ? or [ in its name: rename it"
    return ""
