"""The eight tasks that every export DAG has, and how they hang together.

Each task is one call into `bulk_export.pipeline`. `site.py` reads what a task is told about its run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule, task
from airflow.sdk.exceptions import AirflowSkipException
from structlog.contextvars import bind_contextvars

from bulk_export import pipeline
from bulk_export.definitions.run import IMMEDIATE
from bulk_export.errors import BulkExportError, DefinitionError, RefusedError
from bulk_export.runs.follow_up import show_queued
from bulk_export.state.records import UNSUCCESSFUL
from bulk_export_airflow.assets import announce, outlet
from bulk_export_airflow.follow_up import follow_up_run_id, queue_follow_up
from bulk_export_airflow.metrics import measure
from bulk_export_airflow.notify import notify_about
from bulk_export_airflow.site import (
    current_run_id,
    current_site,
    dag_run_url,
    failed_stages,
    first_retry_delay,
    run_id_of,
    run_request,
    site_of,
    was_cancelled,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

Arguments = ParamSpec("Arguments")
Outcome = TypeVar("Outcome")

log = logging.getLogger(__name__)

# Airflow's own, which every task is in that is in no other.
DEFAULT_POOL = "default_pool"

# What a retry can fix is retried: after 30 s, 1 min and 2 min. What somebody has to fix first fails at once.
RETRIES = 3
RETRY_POLICY = ExceptionRetryPolicy(
    [
        RetryRule(DefinitionError, RetryAction.FAIL, reason="a definition has to be fixed first"),
        RetryRule(RefusedError, RetryAction.FAIL, reason="licence, quota or access says no"),
    ]
)
# Validating fails once. Its retries are for a task that Airflow could not even start, such as a run that falls due
# while Airflow itself is starting: then no error reaches the policy.
VALIDATION_POLICY = ExceptionRetryPolicy([RetryRule(Exception, RetryAction.FAIL, reason="validating is not retried")])


def stage(
    policy: ExceptionRetryPolicy = RETRY_POLICY,
) -> Callable[[Callable[Arguments, Outcome]], Any]:
    """Make a task of a function; its errors stand in the task's log in words first."""

    def decorate(body: Callable[Arguments, Outcome]) -> Any:
        @wraps(body)
        def logged(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Outcome:
            bind_contextvars(**_whose_log(kwargs.get("job")))
            try:
                return body(*args, **kwargs)
            except BulkExportError as error:
                for line in str(error).splitlines():
                    log.error("%s", line)
                if isinstance(error, DefinitionError | RefusedError):
                    # The words say it all; where in the code it was noticed helps nobody.
                    raise error.with_traceback(None) from None
                raise

        # Airflow asks for it some ten times while it builds a DAG; worked out once, it is a look.
        logged.__signature__ = signature(body)  # type: ignore[attr-defined]
        return task(
            doc_md=body.__doc__,
            retries=RETRIES,
            retry_delay=first_retry_delay(),
            retry_exponential_backoff=2,
            retry_policy=policy,
        )(logged)

    return decorate


def _whose_log(job: object) -> dict[str, object]:
    """What every line of a task's log carries, so that lines of many workers can be put together again."""
    return {"export_run": current_run_id()} | ({} if job is None else {"job": job})


@stage(VALIDATION_POLICY)
def validate_filters(export_id: str | None) -> str:
    """Open the audit record, freeze the definitions in it, and refuse what cannot run."""
    return pipeline.validate_filters(current_site(), run_request(export_id))


@stage()
def check_quota() -> dict[str, int]:
    """Count the matches and reserve quota for them in one transaction."""
    return pipeline.check_quota(current_site(), current_run_id())


@stage()
def batch_contacts() -> list[int]:
    """Cut the granted contacts into jobs, oldest first, with every field frozen."""
    return pipeline.batch_contacts(current_site(), current_run_id())


@stage()
def copy_media(job: int) -> dict[str, int]:
    """Copy or convert the media of one job's contacts."""
    return pipeline.copy_media(current_site(), current_run_id(), job)


@stage()
def export_transcripts(job: int) -> dict[str, int]:
    """Write the transcripts of one job's contacts as JSON or XML."""
    return pipeline.export_transcripts(current_site(), current_run_id(), job)


@stage()
def build_csv() -> dict[str, int]:
    """Write contacts.csv: one row per exported contact, every job in order."""
    return _written(pipeline.build_csv(current_site(), current_run_id()))


@stage()
def publish_manifest() -> dict[str, int]:
    """Write items.csv and the manifests, last of all the marker that the directory is whole."""
    counts = _written(pipeline.publish_manifest(current_site(), current_run_id()))
    announce(current_site().reread(current_run_id()))
    return counts


@stage()
def write_audit() -> str:
    """Close the audit record whatever happened, give back unused quota, and queue what the quota did not reach."""
    record = pipeline.write_audit(
        current_site(), current_run_id(), failed_stages(), cancelled=was_cancelled(), follow_up=follow_up_run_id
    )
    measure(record)
    if record.follow_up_run_id:
        queue_follow_up(record)
    if record.status in UNSUCCESSFUL:
        # Airflow judges a run by its last tasks, and those of a run that somebody stopped are skipped: it would turn
        # green. So the audit, which knows, is the task that decides.
        raise RefusedError(
            record.error_code or str(record.status),
            f"the run is {record.status}: its audit is written, and quota it did not use is given back",
            hint=record.error_hint,
        )
    return str(record.status)


def show_follow_up(context: Context) -> None:
    """Show in the audit the follow-up run that has been queued. Queueing ends its task, so that this comes after it.

    What goes wrong here is only logged; the maintenance DAG then shows it.
    """
    here = site_of(context)
    record = here.reread(run_id_of(context["dag_run"]))
    if record.follow_up_run_id:
        show_queued(here, record, dag_run_url)


@stage()
def notify() -> str:
    """Tell whom the export names how the run ended. Returns what was sent."""
    return notify_about(current_site(), current_run_id())


def _written(counts: dict[str, int] | None) -> dict[str, int]:
    if counts is None:
        raise AirflowSkipException("A dry run writes nothing.")
    return counts


@dataclass(frozen=True, slots=True)
class TaskLimits:
    """How much tasks may take, so that exports starve neither each other nor the source.

    Attributes:
        reading: the pool of the contact store.
        writing: the pool of the storage location.
        jobs_at_once: of one run; None for all.
    """

    reading: str = DEFAULT_POOL
    writing: str = DEFAULT_POOL
    jobs_at_once: int | None = None


UNLIMITED = TaskLimits()


def export_tasks(export_id: str | None, *, notifies: bool = False, limits: TaskLimits = UNLIMITED) -> None:
    """Put the tasks into the DAG that is being built.

    Args:
        export_id: the saved export, or None where the run's own parameters say what to export.
        notifies: whether somebody is to be told how a run ended.
        limits: what the tasks may take.
    """
    per_job: dict[str, Any] = {"pool": limits.writing, "max_active_tis_per_dagrun": limits.jobs_at_once}
    jobs = batch_contacts.override(pool=limits.reading)()
    media = copy_media.override(**per_job).expand(job=jobs)
    transcripts = export_transcripts.override(**per_job).expand(job=jobs)
    csv = build_csv.override(pool=limits.writing)()
    # Without a matching contact there are no jobs, the mapped tasks are skipped, and there still is a run to publish.
    published = publish_manifest.override(
        trigger_rule="none_failed", outlets=[outlet(export_id or IMMEDIATE)], pool=limits.writing
    )()

    validated, counted = validate_filters(export_id), check_quota.override(pool=limits.reading)()
    validated >> counted >> jobs >> csv
    [media, transcripts, csv] >> published
    # A teardown runs whatever happened, and this one fails with the run it audits. It has no setup, because a failed
    # setup would skip it; and it waits for every single stage: publishing gives up as soon as one branch has failed,
    # and where somebody marks the run as failed, what follows a running stage is skipped while that one goes on.
    closed = write_audit.override(on_success_callback=show_follow_up)().as_teardown(on_failure_fail_dagrun=True)
    [validated, counted, jobs, media, transcripts, csv, published] >> closed
    if notifies:
        closed >> notify().as_teardown()
