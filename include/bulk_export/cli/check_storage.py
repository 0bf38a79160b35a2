"""`bulk-export check-storage`: the rights in a storage location."""

from __future__ import annotations

import argparse

from bulk_export.cli.exit_codes import DONE, FAILED
from bulk_export.cli.places import site
from bulk_export.errors import DefinitionError
from bulk_export.storage.rights import check_rights
from bulk_export.suggestions import did_you_mean

STAGING = "staging"
_WORDS = {
    "list": "see what is stored there",
    "put": "write objects",
    "get": "read objects; without it, what an interrupted run left cannot be compared",
    "delete": "remove what an interrupted run left",
}


def run(options: argparse.Namespace) -> int:
    """Try each right with an object that is deleted afterwards.

    Fails when one is missing that runs need.
    """
    here = site(options)
    places = {**here.settings.storage_locations, STAGING: here.settings.staging}
    if options.name not in places:
        hint = did_you_mean(options.name, places).strip()
        raise DefinitionError(
            "STORAGE_UNKNOWN",
            f"there is no storage location '{options.name}' in settings.yaml",
            hint=hint or f"There are: {', '.join(places)}.",
        )
    storage = here.open_location(places[options.name])
    rights = check_rights(storage)
    required = ("list", "put", "get") if options.name == STAGING else ("list", "put")
    missing = []
    print(f"{options.name}: {storage.uri}")
    for name, words in _WORDS.items():
        reason = getattr(rights, name)
        kind = "required" if name in required else "optional"
        held, meaning = ("MISSING", words) if reason else ("yes", words.partition(";")[0])
        print(f"  {name:<7} {held:<8} {kind}: {meaning}")
        if reason:
            print(f"          {reason}")
            missing += [name] if name in required else []
    if missing:
        print(f"Runs cannot use it: no right to {' and '.join(missing)}.")
        return FAILED
    print("Runs can use it.")
    if rights.delete and not rights.put:
        print("The object this check wrote stays there, for it may not be deleted.")
    return DONE
