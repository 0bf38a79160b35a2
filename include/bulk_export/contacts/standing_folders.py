"""Directories that stood when contacts were selected.

A directory of recordings that is not there any more was unmounted, moved or lost: nothing of its contacts is known, and
calling each of them missing would complete a run that delivers nothing. One that never was there is another matter.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass

from bulk_export.contacts.addresses import Addresses
from bulk_export.errors import error_of
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import local_path
from bulk_export.storage.faults import os_faults


@dataclass(frozen=True, slots=True)
class StandingFolders:
    """Directories whose loss is an outage.

    Attributes:
        paths: their real paths; nothing is known where there are none.
    """

    paths: Collection[str] = ()

    def check(self, storage: Storage, key: str) -> None:
        """Look whether an object is missing because its directory is.

        Raises:
            TransientError: STORAGE_UNREACHABLE, the directory stood and is gone.
        """
        path = local_path(storage, key)
        for folder in self.paths:
            if str(path).startswith(f"{folder}/") and not os.path.isdir(folder):  # noqa: PTH112 - a Path costs more
                raise error_of(
                    "STORAGE_UNREACHABLE",
                    f"the directory {folder} of the contact store is gone, which stood when contacts were selected",
                )


NO_FOLDERS = StandingFolders()


def standing_folders(addresses: Addresses) -> StandingFolders:
    """The directories that may be read, and those right below them."""
    found: list[str] = []
    for folder in addresses.folders:
        with os_faults("list", folder):
            if os.path.isdir(folder):  # noqa: PTH112
                found.append(folder)
                with os.scandir(folder) as entries:
                    found += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    return StandingFolders(tuple(found))
