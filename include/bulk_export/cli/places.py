"""Open the site a command works on; read times people type."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bulk_export.cli.connections import database_url
from bulk_export.errors import DefinitionError
from bulk_export.site import Report, Site


def site(options: argparse.Namespace, report: Report | None = None) -> Site:
    """The installation the command line works on.

    Credentials of buckets come from the services' own environment variables, the address of a database from
    `AIRFLOW_CONN_<NAME>`, as Airflow itself reads it.
    """
    workers = os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
    plain = Site(
        definitions=options.definitions.resolve(),
        clock=lambda: datetime.now(UTC),
        database_url=database_url,
        workers=workers or 2,
    )
    if report is None:
        return plain
    from dataclasses import replace

    return replace(plain, report=report)


def moment(text: str, zone: str) -> datetime:
    """A typed ISO 8601 time; without an offset, of the zone."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise DefinitionError(
            "TIME_INVALID", f"'{text}' is not a time", hint="Write it as 2026-11-23, or 2026-11-23T02:30Z."
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=ZoneInfo(zone))
