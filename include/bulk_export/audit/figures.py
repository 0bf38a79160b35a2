"""Figures of what became of a run's matches.

They add up, and are the same for command line, e-mail and pages.
"""

from __future__ import annotations

from dataclasses import dataclass

from bulk_export.reasons import NOT_APPLICABLE, REASON_WORDS, ItemStatus, Reason
from bulk_export.state.records import RunRecord

DELIVERED = "Delivered"
NOT_COUNTED = "Not counted"
NOT_COUNTED_WORDS = "The run did not get as far as these, or its counts are wrong."


@dataclass(frozen=True, slots=True)
class Figure:
    """One line.

    Attributes:
        label: what is counted, in English: the code of the reason where there is one.
        number: contacts.
        words: what the label means; may be empty.
        reason: why these contacts were not delivered; None where that is not the point.
    """

    label: str
    number: int
    words: str = ""
    reason: Reason | None = None


def outcomes(record: RunRecord) -> list[Figure]:
    """Lines whose numbers sum up to `record.matched`.

    Empty before the run has counted anything by status.
    """
    if record.matched is None or not record.by_status:
        return []
    found = [Figure(DELIVERED, record.by_status.get(ItemStatus.DELIVERED, 0))]
    for reason in Reason:
        number = record.by_reason.get(reason, 0)
        # Reasons that leave a contact whole belong to delivered ones; roots are no matches.
        if number and reason not in NOT_APPLICABLE and reason is not Reason.ROOT_UNSUPPORTED:
            found.append(_figure(reason, number))
    rest = record.matched - sum(figure.number for figure in found)
    return [*found, Figure(NOT_COUNTED, rest, NOT_COUNTED_WORDS)] if rest else found


def notes(record: RunRecord) -> list[Figure]:
    """Lines beside the outcomes.

    Contacts delivered without something they do not have, and root recordings, which are no matches.
    """
    missing = [
        _figure(reason, number)
        for reason in Reason
        if reason in NOT_APPLICABLE and (number := record.by_reason.get(reason, 0))
    ]
    return [*missing, _figure(Reason.ROOT_UNSUPPORTED, record.roots)] if record.roots else missing


def _figure(reason: Reason, number: int) -> Figure:
    return Figure(str(reason), number, REASON_WORDS[reason], reason)
