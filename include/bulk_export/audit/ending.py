"""Decide how a run ended.

Pure: a record comes in, a status goes out.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulk_export.reasons import ItemStatus
from bulk_export.state.records import RunRecord, RunStatus


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
    """How the run ended.

    The first line that fits decides; a dash is anything.

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
