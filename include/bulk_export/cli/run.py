"""`bulk-export run`: a whole export without Airflow.

It goes through the same stages as the export's DAG.
"""

from __future__ import annotations

import argparse
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from getpass import getuser

from pydantic import ValidationError

from bulk_export.cli.exit_codes import DONE, WITH_ERRORS, exit_code
from bulk_export.cli.places import moment, site
from bulk_export.definitions.run import RunParameters
from bulk_export.errors import DefinitionError
from bulk_export.pipeline import run_export
from bulk_export.runs.request import RunRequest
from bulk_export.site import Report


def run(options: argparse.Namespace) -> int:
    """Run the export, show its progress, print its audit record."""
    from bulk_export.audit.report import audit_summary, record_as_json
    from bulk_export.runs.follow_up import has_rest
    from bulk_export.state.records import RunStatus

    now = datetime.now(UTC)
    parameters = _parameters(options)
    with _progress_bar(quiet=options.json or not sys.stderr.isatty()) as report:
        here = site(options, report)
        record = run_export(
            here,
            RunRequest(
                run_id=f"cli/{uuid.uuid4()}",
                export_id=options.export,
                trigger="cli",
                triggered_by=getuser(),
                as_of=moment(options.as_of, here.settings.environment.time_zone) if options.as_of else now,
                parameters=parameters,
                continues_run_id=options.continues or "",
            ),
        )
    print(record_as_json(record).decode() if options.json else audit_summary(record))
    if record.published and not options.json:
        print(f"\nDelivered to {record.destination_uri}/{record.directory}")
    if not options.json and has_rest(here.engine, record):
        print(f"The rest can go on tomorrow: bulk-export run {options.export} --continue {record.run_key}")
    if record.status in {RunStatus.FAILED, RunStatus.CANCELLED}:
        return exit_code(record.error_code)
    return WITH_ERRORS if record.status is RunStatus.COMPLETED_WITH_ERRORS else DONE


def _parameters(options: argparse.Namespace) -> RunParameters:
    try:
        return RunParameters(
            started_from=_day(options.started_from),
            started_until=_day(options.started_until),
            storage_location=options.storage_location,
            limit=options.limit,
            dry_run=options.dry_run,
            retry_failed_of=options.retry_failed_of,
        )
    except ValidationError as error:
        words = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}".lstrip(": ") for item in error.errors())
        raise DefinitionError(
            "PARAMETERS_INVALID", words, hint="`bulk-export run --help` says what is valid."
        ) from None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise DefinitionError("PARAMETERS_INVALID", f"'{text}' is not a day", hint="Write it as 2026-11-23.") from None


@contextmanager
def _progress_bar(*, quiet: bool) -> Iterator[Report]:
    """A bar per stage on standard error, where somebody is looking."""
    if quiet:
        yield lambda stage, done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bars:
        tasks = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report
