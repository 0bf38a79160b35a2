"""Close the audit record of a run: decide how it ended, charge the quota what it delivered, say it in words.

Runs whatever happened, and as often as it is asked to: a teardown, a retry and the maintenance DAG may all close the
same run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bulk_export.errors import TransientError
from bulk_export.reasons import ItemStatus
from bulk_export.state.records import UNSUCCESSFUL, RunRecord, RunStatus

if TYPE_CHECKING:
    from sqlalchemy import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What decides how a run ended.

    Attributes:
        cancelled: somebody stopped it.
        failed: a stage did not finish.
        delivered: its directory is finished, or there was nothing to deliver (dry run, no match, nothing granted).
        matched: contacts that met the filters; None when the run did not get that far.
        follow_up: a run is queued for the rest.
        faulty: contacts that were not delivered whole.
    """

    cancelled: bool
    failed: bool
    delivered: bool
    matched: int | None
    follow_up: bool
    faulty: int


def final_status(ending: Ending) -> RunStatus:
    """How the run ended. The first line that fits decides; a dash is anything.

    | cancelled | failed | delivered | matched | follow-up | faulty | status                |
    |---|---|---|---|---|---|---|
    | yes       | -      | -         | -       | -         | -      | CANCELLED             |
    | no        | yes    | -         | -       | -         | -      | FAILED                |
    | no        | no     | no        | -       | -         | -      | FAILED                |
    | no        | no     | yes       | 0       | -         | -      | COMPLETED_EMPTY       |
    | no        | no     | yes       | > 0     | yes       | -      | CONTINUED             |
    | no        | no     | yes       | > 0     | no        | > 0    | COMPLETED_WITH_ERRORS |
    | no        | no     | yes       | > 0     | no        | 0      | COMPLETED             |

    Contacts deferred without a follow-up (policy `truncate`, a limit) are no errors: they are counted and listed.
    """
    if ending.cancelled:
        return RunStatus.CANCELLED
    if ending.failed or not ending.delivered:
        return RunStatus.FAILED
    if ending.matched == 0:
        return RunStatus.COMPLETED_EMPTY
    if ending.follow_up:
        return RunStatus.CONTINUED
    return RunStatus.COMPLETED_WITH_ERRORS if ending.faulty else RunStatus.COMPLETED


def ending_of(record: RunRecord, *, failed: bool, cancelled: bool) -> Ending:
    """Read off a record what decides how its run ended."""
    nothing_to_deliver = record.matched == 0 or record.granted == 0 or bool(record.dry_run_report)
    return Ending(
        cancelled=cancelled,
        failed=failed,
        delivered=record.published or nothing_to_deliver,
        matched=record.matched,
        follow_up=bool(record.follow_up_run_id),
        faulty=record.by_status.get(ItemStatus.FAULTY, 0),
    )


def close_audit(
    engine: Engine, run_id: str, *, failed_stage: str | None, cancelled: bool = False, now: datetime
) -> RunRecord:
    """Close a run in one transaction: status, error and quota together. Closing it again changes nothing.

    A published run is charged what it exported even when a later stage failed; a run that failed unpublished gives
    everything back. A run that ended well keeps no error of an earlier attempt; one that failed without having said
    why (killed, timed out, host gone) gets INTERRUPTED.

    Args:
        engine: the state database.
        run_id: the run.
        failed_stage: the first stage that did not finish; None when all did.
        cancelled: True when somebody stopped the run.
        now: aware time.

    Raises:
        DefinitionError: RUN_UNKNOWN when its first stage never opened it.
    """
    from bulk_export.state.database import transaction
    from bulk_export.state.reservations import release_within, settle_within
    from bulk_export.state.run_errors import forget_errors, put_error
    from bulk_export.state.runs import close_run, lock_run, read_run

    with transaction(engine) as connection:
        record = lock_run(connection, run_id)
        status = final_status(ending_of(record, failed=failed_stage is not None, cancelled=cancelled))
        if status is RunStatus.FAILED:
            if not record.error_code:
                put_error(connection, run_id, stage=failed_stage or "", error=_interrupted(failed_stage), now=now)
        elif status is not RunStatus.CANCELLED:
            forget_errors(connection, run_id)
        unsuccessful = status in UNSUCCESSFUL
        if unsuccessful and not record.published:
            quota_after = release_within(connection, run_id)
        else:
            # A bug in the counts must not keep a run from being closed.
            quota_after = settle_within(connection, run_id, min(record.exported, record.granted or 0))
        close_run(connection, record, status, quota_after=quota_after, now=now)
        return read_run(connection, run_id)


def _interrupted(failed_stage: str | None) -> TransientError:
    return TransientError(
        "INTERRUPTED",
        f"{failed_stage or 'the run'} stopped without saying why: killed, timed out, or its machine is gone",
        hint="Run it again: what was delivered is kept and not charged twice. The task's log may say more.",
    )
