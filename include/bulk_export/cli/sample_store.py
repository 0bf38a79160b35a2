"""`bulk-export sample-store`: a contact store to try things on."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from bulk_export.cli.exit_codes import DONE
from bulk_export.cli.places import moment
from bulk_export.sizes import size_text


def run(options: argparse.Namespace) -> int:
    """Make the store and say what is in it."""
    from bulk_export_sample import make_sample_store

    until = moment(options.until, "UTC") if options.until else datetime.now(UTC)
    report = make_sample_store(
        options.directory,
        contacts=options.contacts,
        seed=options.seed,
        until=until,
        media=not options.no_media,
        dirt=options.dirt,
        audio_bytes=options.audio_bytes,
    )
    print(
        f"{report.contacts:,} contacts, {report.media_files:,} media files, {report.transcript_files:,} transcripts, "
        f"{size_text(report.bytes)} in {options.directory}"
    )
    return DONE
