"""Write `effective_from` into saved exports that were edited by hand.

It is the moment from which their schedule counts.

Without it no past tick ever runs; with it a first run that falls before the next refresh starts late instead of never.
Comments and layout of the file stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from bulk_export.definitions.loader import Definitions
from bulk_export.definitions.store import DefinitionStore


def stamp(definitions: Definitions, now: datetime, names: Sequence[str] = ()) -> Iterator[Path]:
    """Date the exports named, whose schedule was edited.

    Without names, every scheduled export that has no date yet.

    Yields the files written.

    Raises:
        DefinitionError: EXPORT_UNKNOWN or DEFINITION_INVALID for a name; nothing is written then.
        RefusedError: READ_ONLY; or EDIT_UNSEEN where somebody saved a file at the same moment.
    """
    undated = (export for export in definitions.exports.values() if export.schedule and export.effective_from is None)
    exports = [definitions.require_export(name) for name in names] or list(undated)
    store, moment = DefinitionStore(definitions.folder), f"{now:%Y-%m-%dT%H:%M:%SZ}"
    for export in exports:
        seen = store.read("exports", export.id)
        store.save("exports", export.id, {"effective_from": moment}, seen=seen.etag)
        yield definitions.folder / "exports" / f"{export.id}.yaml"
