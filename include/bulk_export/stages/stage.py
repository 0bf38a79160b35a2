"""`@stage`: load the run, record the stage's error, clear it on success."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial, update_wrapper
from pathlib import Path
from typing import Concatenate, ParamSpec, TypedDict, TypeVar

from bulk_export.errors import BulkExportError, RefusedError
from bulk_export.runs.marker import settle_marker
from bulk_export.runs.open_run import OpenRun
from bulk_export.runs.selection import freeze_keys, reserve_quota, run_share
from bulk_export.site import Site
from bulk_export.state.records import UNSUCCESSFUL
from bulk_export.state.run_errors import clear_error, record_error
from bulk_export.state.runs import get_run, reopen_run
from bulk_export.storage.faults import machine_error, scratch_error

Arguments = ParamSpec("Arguments")
Outcome = TypeVar("Outcome")
Body = Callable[Concatenate[OpenRun, Arguments], Outcome]
Stage = Callable[Concatenate[Site, str, Arguments], Outcome]


def stage(body: Body[Arguments, Outcome]) -> Stage[Arguments, Outcome]:
    """Make a stage of a function of an open run.

    The stage is called with the site and the run's id instead.
    """

    def run_stage(site: Site, run_id: str, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Outcome:
        job = args[0] if args and isinstance(args[0], int) else 0
        loaded = load_run(site, run_id)
        with recorded(loaded, body.__name__, job):
            run = resume_failed_run(settle_marker(loaded), body.__name__)
            with _unfinished_files(run):
                return body(run, *args, **kwargs)

    update_wrapper(run_stage, body)
    return run_stage


def resume_failed_run(run: OpenRun, stage_name: str) -> OpenRun:
    """Reopen a run that was closed as failed.

    It holds quota again. Any other run is returned as it is.

    Whoever clears the failed tasks only skips `check_quota`, and by then others may have taken what the run gave back.

    Raises:
        RefusedError: GRANT_CHANGED, the quota does not allow the jobs that were cut any more.
    """
    record = run.record
    if record.status not in UNSUCCESSFUL:
        return run
    if stage_name != "check_quota" and not record.published and record.granted is not None:
        _hold_quota_again(run, stage_name)
    exclusive = bool(record.definitions) and run.snapshot.exclusive and not record.published
    # Last: a task that fails before it finds the run failed still, and asks for quota again.
    reopened = reopen_run(run.site.engine, record.run_id, run.site.clock(), exclusive=exclusive)
    return OpenRun(run.site, reopened, run.attempt)


def _hold_quota_again(run: OpenRun, stage_name: str) -> None:
    reserve_quota(run, freeze_keys(run))
    again = run.reread()
    cut_for = again.staging.read_facts("share")  # None where a power cut has taken it: then jobs are cut anew
    if stage_name != "batch_contacts" and cut_for not in (None, asdict(run_share(again))):
        raise RefusedError(
            "GRANT_CHANGED",
            f"the run was granted {run.record.granted} contacts when its jobs were cut, and now {again.record.granted}",
            hint="Clear the run from check_quota on, with everything downstream: it is cut anew.",
        )


def load_run(site: Site, run_id: str) -> OpenRun:
    """Load a run by its record.

    `DefinitionError` RUN_UNKNOWN when `validate_filters` never opened one.
    """
    return OpenRun(site, get_run(site.engine, run_id))


@contextmanager
def _unfinished_files(run: OpenRun) -> Iterator[None]:
    """Name the scratch folder where the operating system refuses something, and remove the attempt's own in the end.

    Storages, contact store and state database have errors of their own: what is left is about unfinished files.
    """
    try:
        yield
    except OSError as error:
        scratch = run.scratch
        place = Path(error.filename) if isinstance(error.filename, str) else scratch
        if not place.is_relative_to(scratch):
            raise
        raise scratch_error(error, place) from error
    finally:
        run.remove_scratch()


@contextmanager
def recorded(run: OpenRun, stage_name: str, job: int = 0) -> Iterator[None]:
    """Record a stage's error; clear it once the stage succeeds.

    Whatever goes wrong in an attempt that has been overtaken is that it is late (`LateAttemptError`): no error of the
    run, which somebody else has finished or goes on with.
    """
    where = partial(_at, run, stage_name, job)
    try:
        yield
    except BulkExportError as error:
        record_error(run.site.engine, error=error, now=run.site.clock(), **where())
        raise
    except (OSError, MemoryError) as error:  # where nobody expected it: still it has a name, and something can be done
        known = machine_error(error, stage_name)
        record_error(run.site.engine, error=known, now=run.site.clock(), **where())
        raise known from error
    except Exception as error:
        # Only the kind of the error goes into the audit: the text of an unforeseen one may hold personal data.
        unforeseen = BulkExportError(
            "INTERNAL_ERROR",
            f"{stage_name} ended with an unforeseen {type(error).__name__}",
            hint="The task's log has the details; a retry may help. Report it if it happens again.",
        )
        record_error(run.site.engine, error=unforeseen, now=run.site.clock(), **where())
        raise
    clear_error(run.site.engine, **where())


class _Where(TypedDict):
    """Which attempt at what an error is about."""

    run_id: str
    stage: str
    job: int
    attempt: int


def _at(run: OpenRun, stage_name: str, job: int) -> _Where:
    # The number at the end: publishing begins another attempt.
    return {"run_id": run.record.run_id, "stage": stage_name, "job": job, "attempt": run.attempt.number}
