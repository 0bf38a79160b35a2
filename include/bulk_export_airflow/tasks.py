"""Build the tasks of an export's DAG, one a stage.

`site.py` reads what a task knows of its run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule, task
from airflow.sdk.exceptions import AirflowSkipException
from structlog.contextvars import bind_contextvars

from bulk_export.definitions.run import IMMEDIATE
from bulk_export.errors import BulkExportError, DefinitionError, RefusedError
from bulk_export.runs.follow_up import show_queued
from bulk_export.stage_registry import STAGES, Counts, Load, Phase, Stage
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

    from bulk_export.state.records import RunRecord

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

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


def export_task(
    policy: ExceptionRetryPolicy = RETRY_POLICY,
) -> Callable[[Callable[Arguments, Result]], Any]:
    """Make a task of a function.

    Its log says errors in words first.
    """

    def decorate(body: Callable[Arguments, Result]) -> Any:
        @wraps(body)
        def logged(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
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

        # Airflow asks for it some ten times while it builds a DAG; computed once, it is a look-up.
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


@cache
def _opening_task(stage: Stage) -> Any:
    def body(export_id: str | None) -> str:
        return str(stage.call(current_site(), run_request(export_id)))

    return export_task(VALIDATION_POLICY)(_named(body, stage))


@cache
def _batching_task(stage: Stage) -> Any:
    def body() -> list[int]:
        jobs: list[int] = stage.call(current_site(), current_run_id())
        return jobs

    return export_task()(_named(body, stage))


@cache
def _job_task(stage: Stage) -> Any:
    # Airflow makes an XCom of each count.
    def body(job: int) -> Counts:
        counts: Counts = stage.call(current_site(), current_run_id(), job)
        return counts

    return export_task()(_named(body, stage))


@cache
def _run_task(stage: Stage) -> Any:
    def body() -> Counts:
        counts: Counts | None = stage.call(current_site(), current_run_id())
        if counts is None:
            raise AirflowSkipException("A dry run writes nothing.")
        if stage is STAGES.of(Phase.PUBLISH)[0]:
            announce(current_site().reread(current_run_id()))
        return counts

    return export_task()(_named(body, stage))


@cache
def _closing_task(stage: Stage) -> Any:
    def body() -> str:
        record: RunRecord = stage.call(
            current_site(), current_run_id(), failed_stages(), cancelled=was_cancelled(), follow_up=follow_up_run_id
        )
        measure(record)
        if record.follow_up_run_id:
            queue_follow_up(record)
        if record.status in UNSUCCESSFUL:
            # Airflow judges a run by its last tasks, and those of a run that somebody stopped are skipped: it would
            # turn green. So the audit, which knows, is the task that decides.
            raise RefusedError(
                record.error_code or str(record.status),
                f"the run is {record.status}: its audit is written, and quota it did not use is given back",
                hint=record.error_hint,
            )
        return str(record.status)

    return export_task()(_named(body, stage))


def _named(body: Callable[Arguments, Result], stage: Stage) -> Callable[Arguments, Result]:
    """The function under the stage's name, by which Airflow calls its task."""
    body.__name__ = body.__qualname__ = stage.name
    body.__doc__ = stage.summary
    return body


def show_follow_up(context: Context) -> None:
    """Show the queued follow-up run in the audit.

    Queueing ends its task, so that this comes after it.

    What goes wrong here is only logged; the maintenance DAG then shows it.
    """
    here = site_of(context)
    record = here.reread(run_id_of(context["dag_run"]))
    if record.follow_up_run_id:
        show_queued(here, record, dag_run_url)


@export_task()
def notify() -> str:
    """Notify of the run's end; returns what was sent."""
    return notify_about(current_site(), current_run_id())


@dataclass(frozen=True, slots=True)
class TaskLimits:
    """Limits of tasks.

    So that exports starve neither each other nor the source.

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
        notifies: whether somebody is notified of a run's end.
        limits: what the tasks may take.
    """
    [opening], [closing] = STAGES.of(Phase.OPEN), STAGES.of(Phase.CLOSE)
    batching = STAGES.of(Phase.SELECT)[-1]
    publishing, *later = STAGES.of(Phase.PUBLISH)
    pools = {Load.NOTHING: DEFAULT_POOL, Load.SOURCE: limits.reading, Load.DESTINATION: limits.writing}

    def once(stage: Stage, **options: Any) -> Any:
        make = _batching_task if stage is batching else _run_task
        return make(stage).override(pool=pools[stage.load], **options)()

    def per_job(stage: Stage) -> Any:
        options = {"pool": pools[stage.load], "max_active_tis_per_dagrun": limits.jobs_at_once}
        return _job_task(stage).override(**options).expand(job=jobs)

    made: list[Any] = [_opening_task(opening)(export_id)]
    for stage in STAGES.of(Phase.SELECT):
        made.append(once(stage))
        made[-2] >> made[-1]
    jobs = made[-1]
    delivering = {stage.name: per_job(stage) if stage.per_job else once(stage) for stage in STAGES.of(Phase.DELIVER)}
    for stage in STAGES.of(Phase.DELIVER):
        [jobs, *(delivering[name] for name in stage.after)] >> delivering[stage.name]
    # Without a matching contact there are no jobs, the mapped tasks are skipped, and there still is a run to publish.
    published = once(publishing, trigger_rule="none_failed", outlets=[outlet(export_id or IMMEDIATE)])
    list(delivering.values()) >> published
    made += [*delivering.values(), published]
    for stage in later:
        made.append(once(stage))
        made[-2] >> made[-1]
    # A teardown runs whatever happened, and this one fails with the run it audits. It has no setup, because a failed
    # setup would skip it; and it waits for every single stage: publishing gives up as soon as one branch has failed,
    # and where somebody marks the run as failed, what follows a running stage is skipped while that one goes on.
    closed = _closing_task(closing).override(on_success_callback=show_follow_up)()
    closed = closed.as_teardown(on_failure_fail_dagrun=True)
    made >> closed
    if notifies:
        closed >> notify().as_teardown()
