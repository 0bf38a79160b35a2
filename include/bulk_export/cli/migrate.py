"""`bulk-export migrate`: create or upgrade the state database."""

from __future__ import annotations

import argparse

from bulk_export.cli.exit_codes import DONE
from bulk_export.cli.places import site


def run(options: argparse.Namespace) -> int:
    """Bring the state database to the version of this release."""
    engine = site(options).engine  # opening it upgrades it
    print(f"The state database {engine.url.render_as_string(hide_password=True)} is up to date.")
    return DONE
