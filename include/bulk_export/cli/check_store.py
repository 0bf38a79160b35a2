"""`bulk-export check-store`: can this contact store be exported from?"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bulk_export.cli.exit_codes import DONE
from bulk_export.cli.places import site


def run(options: argparse.Namespace) -> int:
    """Check the catalogue's columns and rows.

    Problems end in an error that names every one.
    """
    here = site(options)
    with tempfile.TemporaryDirectory(prefix="bulk-export-") as scratch:
        report = here.open_contact_store(here.settings.contact_store, Path(scratch)).check()
    print(f"{report.contacts:,} contacts, {len(report.columns)} known columns. The store can be exported from.")
    if report.absent:
        print(f"Absent, so always empty: {', '.join(report.absent)}")
    if report.ignored:
        print(f"Not used by any field: {', '.join(report.ignored)}")
    return DONE
