"""Find the definitions folder: the environment's, else the checkout's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bulk_export.errors import DefinitionError

DEFINITIONS_VARIABLE = "BULK_EXPORT_DEFINITIONS"  # the same for the command line and for Airflow's processes
# Beside the package in a checkout. An installed package has nothing there.
PROJECT_DEFINITIONS = Path(__file__).resolve().parents[2] / "definitions"


def default_folder(environment: Mapping[str, str]) -> Path:
    """The folder used where nobody names one; it need not exist."""
    return Path(environment.get(DEFINITIONS_VARIABLE) or PROJECT_DEFINITIONS)


def definitions_folder(environment: Mapping[str, str]) -> Path:
    """The folder used where nobody names one.

    Raises:
        DefinitionError: DEFINITIONS_MISSING when the environment names none and the package is not in a checkout.
    """
    folder = default_folder(environment)
    if folder == PROJECT_DEFINITIONS and not folder.is_dir():
        raise DefinitionError(
            "DEFINITIONS_MISSING",
            "no definitions folder is named, and an installed package has none of its own",
            hint=f"Set the environment variable {DEFINITIONS_VARIABLE} to the folder that holds settings.yaml.",
        )
    return folder
