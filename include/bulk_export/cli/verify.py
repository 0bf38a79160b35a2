"""`bulk-export verify`: prove that a delivered run is whole."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from bulk_export.cli import DONE, FAILED


def run(options: argparse.Namespace) -> int:
    """Check every file against the manifests and say every fault."""
    from bulk_export.bag.verify import verify_run
    from bulk_export.storage import open_uri

    report = verify_run(open_uri(options.uri, base=Path.cwd(), credentials=None))
    if options.json:
        print(json.dumps(asdict(report), indent=2, default=str))
    else:
        for fault in report.faults:
            print(fault)
        if report.faults:
            print(f"NOT VALID: {len(report.faults)} faults in {options.uri}")
        else:
            print(f"Valid: {report.files:,} files, {report.bytes:,} bytes, every one as the manifest says.")
    return FAILED if report.faults else DONE
