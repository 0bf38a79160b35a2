"""Close the audit record of a run.

Record how it ended and charge the quota what it delivered.

Runs whatever happened, and as often as it is asked to: a teardown, a retry and the maintenance DAG may all close the
same run.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from bulk_export.audit.ending import ending_of, final_status
from bulk_export.errors import TransientError
from bulk_export.state.attempts import lock_attempt
from bulk_export.state.database import transaction
from bulk_export.state.publications import charge_exported
from bulk_export.state.records import OPEN, UNSUCCESSFUL, RunRecord, RunStatus
from bulk_export.state.reservations import release_within
from bulk_export.state.run_errors import forget_errors, put_error
from bulk_export.state.runs import close_run, read_run

if TYPE_CHECKING:
    from sqlalchemy import Engine


def close_audit(
    engine: Engine,
    run_id: str,
    *,
    failed_stage: str | None,
    cancelled: bool = False,
    now: datetime,
    attempt: int | None = None,
) -> RunRecord:
    """Close a run in one transaction: status, error and quota.

    Closing it again changes nothing.

    A published run is charged what it exported even when a later stage failed; a run that failed unpublished gives
    everything back. A run that ended well keeps no error of an earlier attempt; one that failed without having said
    why (killed, timed out, host gone) gets INTERRUPTED. One that was published and ended well stays so, whoever stops
    or fails over it later.

    Args:
        engine: the state database.
        run_id: the run.
        failed_stage: the first stage that did not finish; None when all did.
        cancelled: True when somebody stopped the run.
        now: aware time.
        attempt: that closes it; None for whoever need not be one.

    Raises:
        DefinitionError: RUN_UNKNOWN when its first stage never opened it.
        LateAttemptError: another attempt has taken over, so that this one has nothing to close.
    """
    with transaction(engine) as connection:
        record = lock_attempt(connection, run_id, attempt)
        unsuccessful = cancelled or failed_stage is not None
        if unsuccessful and record.published and record.status not in OPEN | UNSUCCESSFUL:
            forget_errors(connection, run_id)
            return read_run(connection, run_id)
        status = final_status(ending_of(record, failed=failed_stage is not None, cancelled=cancelled))
        if status is RunStatus.FAILED:
            if not record.error_code:
                put_error(connection, run_id, stage=failed_stage or "", error=_interrupted(failed_stage), now=now)
        elif status is not RunStatus.CANCELLED:
            forget_errors(connection, run_id)
        if status in UNSUCCESSFUL and not record.published:
            quota_after = release_within(connection, run_id)
        else:
            quota_after = charge_exported(connection, record)
        close_run(connection, record, status, quota_after=quota_after, now=now)
        return read_run(connection, run_id)


def _interrupted(failed_stage: str | None) -> TransientError:
    return TransientError(
        "INTERRUPTED",
        f"{failed_stage or 'the run'} stopped without saying why: killed, timed out, or its machine is gone",
        hint="Run it again: what was delivered is kept and not charged twice. The task's log may say more.",
    )
