"""`bulk-export verify`: prove that delivered runs are whole."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bulk_export.cli.exit_codes import DONE, FAILED
from bulk_export.errors import BulkExportError

if TYPE_CHECKING:
    from bulk_export.bag.faults import VerifyReport
    from bulk_export.storage.base import Storage


def run(options: argparse.Namespace) -> int:
    """Check every file of each run against its manifests.

    Reports every fault of all, and a verdict on each.
    """
    from bulk_export.storage import open_uri

    # An address that makes no sense is told before hours are spent on those before it.
    runs = {uri: open_uri(uri, base=Path.cwd(), credentials=None) for uri in options.uris}
    valid = 0
    for uri, storage in runs.items():
        report = _report(uri, storage)
        if report is not None:
            print(_as_json(uri, report, alone=len(runs) == 1) if options.json else _as_text(uri, report))
            valid += report.ok
    return DONE if valid == len(runs) else FAILED


def _report(uri: str, storage: Storage) -> VerifyReport | None:
    """The faults of a run.

    None, and the reason on standard error, where it cannot be reached or read.
    """
    from bulk_export.bag.verify import verify_run

    try:
        return verify_run(storage)
    except BulkExportError as error:
        print(f"NOT VERIFIED: {uri}\n{error}", file=sys.stderr)
        return None


def _as_json(uri: str, report: VerifyReport, *, alone: bool) -> str:
    """The report as JSON.

    Of several runs each is one line, with the address it is about.
    """
    if alone:
        return json.dumps(asdict(report), indent=2, default=str)
    return json.dumps({"uri": uri} | asdict(report), default=str)


def _as_text(uri: str, report: VerifyReport) -> str:
    """Every fault, then the verdict."""
    verdict = f"Valid: {report.files:,} files, {report.bytes:,} bytes in {uri}, every one as the manifest says."
    if report.faults:
        verdict = f"NOT VALID: {len(report.faults)} faults in {uri}"
    return "\n".join([*map(str, report.faults), verdict])
