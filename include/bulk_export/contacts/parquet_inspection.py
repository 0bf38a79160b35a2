"""A catalogue with the footers of its files, each read once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from bulk_export.contacts.catalog_faults import store_faults
from bulk_export.contacts.catalog_files import FOLDER, Catalog, FoundFile
from bulk_export.contacts.parquet_files import CatalogFile, inspect, unusable_file
from bulk_export.errors import DefinitionError


class InspectedCatalog:
    """The files of a catalogue as their footers describe them.

    Args:
        catalog: where they are.
        uri: of the store, for messages.

    Attributes:
        unread: names of files that are no Parquet files by their name, when `files` was last called.
    """

    def __init__(self, catalog: Catalog, uri: str) -> None:
        self._catalog, self._uri = catalog, uri
        self._seen: dict[tuple[object, ...], CatalogFile] = {}
        self.unread: tuple[str, ...] = ()

    def files(self) -> list[CatalogFile]:
        """Every file there is now; only new or changed ones are read.

        Raises:
            DefinitionError: STORE_INVALID, there is none.
        """
        found, unread = self._catalog.listing()
        self.unread = tuple(unread)
        if not found:
            raise DefinitionError(
                "STORE_INVALID",
                f"contact store {self._uri} has no Parquet file below '{FOLDER}'",
                hint="Check contact_store.uri in settings.yaml; the catalogue is <uri>/contacts/**/*.parquet.",
            )
        with store_faults(self._uri), ThreadPoolExecutor(self._catalog.footers_at_once) as pool:
            return list(pool.map(self._described, found))

    def _described(self, file: FoundFile) -> CatalogFile:
        if file.problem:
            return unusable_file(file.name, file.problem)
        if file.identity not in self._seen:
            self._seen[file.identity] = inspect(file, self._catalog.open(file))
        return self._seen[file.identity]
