"""`bulk-export validate`: every problem in every definition, as file:line."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from bulk_export.cli.exit_codes import BAD_DEFINITIONS, DONE
from bulk_export.definitions.loader import load_definitions


def run(options: argparse.Namespace) -> int:
    """List the definitions' problems.

    With `--stamp`, first date the exports named, or the scheduled ones without `effective_from`.
    """
    definitions = load_definitions(options.definitions)
    if options.stamp is not None:
        from bulk_export.definitions.stamp import stamp

        for path in stamp(definitions, datetime.now(UTC), options.stamp):
            print(f"{path.relative_to(options.definitions)}: effective_from written")
        definitions = load_definitions(options.definitions)
    for problem in definitions.problems:
        print(problem)
    loaded = f"{len(definitions.exports)} exports, {len(definitions.searches)} searches"
    if definitions.problems:
        print(f"{len(definitions.problems)} problems; {loaded} load.")
        return BAD_DEFINITIONS
    print(f"No problems; {loaded}.")
    return DONE
