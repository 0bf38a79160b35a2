"""`bulk-export run`: a whole export without Airflow.

It goes through the same stages as the export's DAG.
"""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from getpass import getuser

from pydantic import ValidationError

from bulk_export.cli.abandoned import close_ended_runs, refuse_if_running
from bulk_export.cli.exit_codes import DONE, WITH_ERRORS, exit_code
from bulk_export.cli.output import print_json
from bulk_export.cli.places import moment, site
from bulk_export.definitions.run import RunParameters
from bulk_export.errors import DefinitionError
from bulk_export.pipeline import run_export
from bulk_export.process import this_process
from bulk_export.runs.request import RunRequest
from bulk_export.site import Report, Site


def run(options: argparse.Namespace) -> int:
    """Run the export, show its progress, print its audit record."""
    from bulk_export.audit.report import audit_summary, record_as_json
    from bulk_export.runs.follow_up import has_rest
    from bulk_export.state.records import RunStatus

    with _progress_bar(quiet=options.json or not sys.stderr.isatty()) as report:
        here = site(options, report)
        if not options.dry_run:
            close_ended_runs(here)
        record = run_export(here, _resumed(here, options) if options.resume else _asked_for(here, options))
    if options.json:
        print_json(record_as_json(record))
    else:
        print(audit_summary(record))
    if record.published and not options.json:
        print(f"\nDelivered to {record.destination_uri}/{record.directory}")
    if not options.json and has_rest(here.engine, record):
        print(f"The rest can go on tomorrow: bulk-export run {options.export} --continue {record.run_key}")
    if record.status in {RunStatus.FAILED, RunStatus.CANCELLED}:
        return exit_code(record.error_code)
    return WITH_ERRORS if record.status is RunStatus.COMPLETED_WITH_ERRORS else DONE


def _asked_for(here: Site, options: argparse.Namespace) -> RunRequest:
    """A new run."""
    now = datetime.now(UTC)
    return RunRequest(
        run_id=f"cli/{uuid.uuid4()}",
        export_id=options.export,
        trigger="cli",
        triggered_by=_user(),
        as_of=moment(options.as_of, here.settings.environment.time_zone) if options.as_of else now,
        parameters=_parameters(options),
        continues_run_id=options.continues or "",
        process=this_process().as_text(),
    )


def _resumed(here: Site, options: argparse.Namespace) -> RunRequest:
    """The request of a run that was killed or has failed, to go on with it.

    Raises:
        DefinitionError: RUN_UNKNOWN, or PARAMETERS_INVALID where it is no such run.
        RefusedError: RUN_ACTIVE.
    """
    from bulk_export.state.runs import find_run

    if _parameters(options) != RunParameters() or options.as_of or options.continues:
        raise _not_resumable("--resume goes on with what the run was asked for, and takes no other parameter")
    record = find_run(here.engine, options.resume)
    if record.export_id != options.export:
        raise _not_resumable(f"the run {record.run_key} is one of the export '{record.export_id}'")
    if record.dag_run_id:
        raise _not_resumable(f"the run {record.run_key} is one of the DAG {record.dag_id}: clear its tasks in Airflow")
    refuse_if_running(record)
    return RunRequest(
        run_id=record.run_id,
        export_id=record.export_id,
        trigger=str(record.trigger),
        triggered_by=record.triggered_by,
        as_of=record.as_of,
        parameters=RunParameters.model_validate(record.parameters),
        continues_run_id=record.continues_run_id,
        process=this_process().as_text(),
    )


def _not_resumable(words: str) -> DefinitionError:
    return DefinitionError("PARAMETERS_INVALID", words, hint="`bulk-export audit show RUN` says what a run is.")


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):  # a container's user often has no name
        return f"user {os.getuid()}"


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
