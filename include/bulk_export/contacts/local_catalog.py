"""Find the Parquet files of a catalogue on this machine.

Links are followed where they lead to what may be read; any other is a problem by its name, because contacts must not
be left out in silence.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bulk_export.contacts.addresses import Folders
from bulk_export.contacts.catalog_faults import store_faults
from bulk_export.contacts.catalog_files import FOLDER, SUFFIX, FoundFile, Listing, is_hidden, name_problem, unusable
from bulk_export.contacts.column_names import shown
from bulk_export.contacts.lake_tables import lake_table_problem
from bulk_export.errors import DefinitionError

if TYPE_CHECKING:
    import duckdb

_OUT = (
    "is a link to {real}, outside of what may be read: add that directory to contact_store.allowed, or move what it"
    " holds here"
)


class LocalCatalog:
    """Files below a directory.

    Args:
        root: the store's.
        uri: its address, for messages.
        allowed: directories that links may lead into, beside the root.
    """

    footers_at_once = 1

    def __init__(self, root: Path, uri: str, allowed: Sequence[Path] = ()) -> None:
        self._root, self._uri, self._allowed = root, uri, allowed

    def listing(self) -> Listing:
        """Every `*.parquet` file below the folder.

        What starts with a dot or an underscore is unfinished or foreign, but for key=value directories.
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
        with store_faults(self._uri):
            walk = _Walk(Folders.of([self._root, *self._allowed]))
            walk.enter(str(folder), FOLDER, linked=folder.is_symlink(), above=())
        return Listing(sorted(walk.files, key=lambda file: Path(file.name)), sorted(walk.unread))

    def open(self, file: FoundFile) -> Path:
        """Where DuckDB and pyarrow find it: on this machine."""
        return Path(file.address)

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """DuckDB knows disks."""

    def fault(self) -> None:
        """DuckDB's own errors say enough."""


class _Walk:
    """One walk through a catalogue, and what it has found."""

    def __init__(self, allowed: Folders) -> None:
        self._allowed = allowed
        self._lakes: set[str] = set()
        self.files: list[FoundFile] = []
        self.unread: list[str] = []

    def enter(self, path: str, name: str, *, linked: bool, above: tuple[str, ...]) -> None:
        """Go through a directory; `above` are the real paths of those that hold it."""
        real = os.path.realpath(path)
        if linked and not self._may_follow(real, name):
            return
        if real in above:
            self._refuse(name, "is a link back to a directory that holds it: remove it")
            return
        with os.scandir(path) as entries:
            for entry in entries:
                self._look(entry, f"{name}/{entry.name}", (*above, real))

    def _look(self, entry: os.DirEntry[str], name: str, above: tuple[str, ...]) -> None:
        if lake := lake_table_problem(name):
            folder, problem = lake
            if folder not in self._lakes:
                self._lakes.add(folder)
                self._refuse(folder, problem)
            return
        if is_hidden(entry.name):
            return
        if entry.is_symlink() and not os.path.exists(entry.path):  # noqa: PTH110 - as for every entry, no Path
            self._refuse(name, "is a link that leads nowhere: mount or restore what it means, or remove it")
        elif entry.is_dir():
            self.enter(entry.path, name, linked=entry.is_symlink(), above=above)
        elif entry.name.endswith(SUFFIX):
            self._take(entry, name)
        else:
            self.unread.append(name)

    def _take(self, entry: os.DirEntry[str], name: str) -> None:
        status = entry.stat()
        if not stat.S_ISREG(status.st_mode):
            self._refuse(name, "is no regular file: remove it")
        elif problem := name_problem(entry.path):
            self._refuse(name, problem)
        elif not entry.is_symlink() or self._may_follow(os.path.realpath(entry.path), name):
            # A file that was replaced has another size or time, so a long-lived store sees it.
            self.files.append(FoundFile(name, entry.path, (name, status.st_size, status.st_mtime_ns)))

    def _may_follow(self, real: str, name: str) -> bool:
        inside = real in self._allowed.real or self._allowed.holding(real) is not None
        if not inside:
            self._refuse(name, _OUT.format(real=shown(real)))
        return inside

    def _refuse(self, name: str, problem: str) -> None:
        # A name that is no Unicode could not be printed.
        self.files.append(unusable(os.fsencode(name).decode(errors="backslashreplace"), problem))
