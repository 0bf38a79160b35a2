"""`bulk-export check-store`: can this contact store be exported from?"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from bulk_export.cli.exit_codes import DONE
from bulk_export.cli.places import site
from bulk_export.contacts.outside import Outside, outside


def run(options: argparse.Namespace) -> int:
    """Check the catalogue's columns and rows.

    Problems end in an error that names every one. Addresses that may not be read are counted.
    """
    here = site(options)
    settings = here.settings.contact_store
    with tempfile.TemporaryDirectory(prefix="bulk-export-") as scratch:
        store = here.open_contact_store(settings, Path(scratch))
        report = store.check(values=True)
        found = outside(here.addresses(settings, store.objects), store.uris())
    print(f"{report.contacts:,} contacts, {len(report.columns)} known columns. The store can be exported from.")
    if report.absent:
        print(f"Absent, so always empty: {', '.join(report.absent)}")
    if report.ignored:
        print(f"Not used by any field: {', '.join(report.ignored)}")
    if report.unread:
        count = f"{len(report.unread):,} files" if len(report.unread) > 1 else "1 file"
        print(f"Not read, as no name of a Parquet file (.parquet): {count}, the first {report.unread[0]}")
    if found.addresses:
        print(_words(found, settings.allowed))
    return DONE


def _words(found: Outside, allowed: Sequence[str]) -> str:
    lines = [
        f"{found.addresses:,} addresses of {found.contacts:,} contacts lie outside of what may be read:"
        " those contacts will be faulty (ADDRESS_NOT_ALLOWED)."
    ]
    if found.never:
        lines.append(f"{found.never:,} of them can be admitted by nothing: correct them in the store.")
    if found.places:
        lines.append("These lines of settings.yaml admit the others. Add no place that you do not know:")
        lines.append(yaml.safe_dump({"contact_store": {"allowed": [*allowed, *found.places]}}, allow_unicode=True))
    return "\n".join(lines).rstrip()
