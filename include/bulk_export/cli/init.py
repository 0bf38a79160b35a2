"""`bulk-export init`: a folder that Airflow can take as a DAG bundle."""

from __future__ import annotations

import argparse
from pathlib import Path

from bulk_export.cli.exit_codes import DONE, WITH_ERRORS
from bulk_export.definitions.folder import DEFINITIONS_VARIABLE
from bulk_export.starter.write import DEFINITIONS, write_starting_files


def run(options: argparse.Namespace) -> int:
    """Write what is missing and name what was left."""
    folder: Path = options.directory.absolute()
    done = write_starting_files(folder)
    print(f"{len(done.written)} files written to {folder}" + (":" if done.written else "."))
    for name in done.written:
        print(f"  {name}")
    if done.same:
        print(f"{len(done.same)} were there already, with the same content.")
    print(
        f"\nNext: edit {DEFINITIONS}/settings.yaml, and check it:\n"
        f"  bulk-export --definitions {folder / DEFINITIONS} validate\n"
        "Airflow takes the folder as a DAG bundle, or below its DAG folder. Its pages read the definitions from\n"
        f"  {DEFINITIONS_VARIABLE}={folder / DEFINITIONS}\n"
        "in the environment of the API server."
    )
    if not done.kept:
        return DONE
    print("\nLeft as they are, because something else of their name was there:")
    for name in done.kept:
        print(f"  {name}")
    return WITH_ERRORS
