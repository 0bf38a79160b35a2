"""Find the runs that keep something in a staging area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulk_export.state.records import RUN_KEY_LENGTH

if TYPE_CHECKING:
    from bulk_export.storage.base import Storage


def run_keys(storage: Storage) -> list[str]:
    """The keys of the runs that keep something in a staging area."""
    keys = dict.fromkeys(entry.key.partition("/")[0] for entry in storage.list())
    return [key for key in keys if len(key) == RUN_KEY_LENGTH]
