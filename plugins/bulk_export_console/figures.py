"""What became of a run's matches, in lines that add up."""

from __future__ import annotations

from dataclasses import dataclass

from bulk_export.reasons import NOT_APPLICABLE, REASON_WORDS, ItemStatus, Reason
from bulk_export.state.records import RunRecord

UNCOUNTED = "The run did not get as far as these, or its counts are wrong."


@dataclass(frozen=True, slots=True)
class Figure:
    """One line.

    Attributes:
        label: what is counted, in English.
        number: contacts.
        words: what the label means; may be empty.
        reason: code of the reason, where there is one: the items below can be filtered by it.
    """

    label: str
    number: int
    words: str = ""
    reason: str = ""


def figures(record: RunRecord) -> list[Figure]:
    """Lines whose numbers sum up to `record.matched`; empty before the run has counted anything by status."""
    if record.matched is None or not record.by_status:
        return []
    delivered = record.by_status.get(ItemStatus.DELIVERED, 0)
    found = [Figure("Delivered", delivered)]
    for reason in Reason:
        number = record.by_reason.get(reason, 0)
        # Reasons that leave a contact whole belong to delivered ones; roots are no matches.
        if number and reason not in NOT_APPLICABLE and reason is not Reason.ROOT_UNSUPPORTED:
            found.append(Figure(str(reason), number, REASON_WORDS[reason], str(reason)))
    rest = record.matched - sum(figure.number for figure in found)
    return [*found, Figure("Not counted", rest, UNCOUNTED)] if rest else found


def notes(record: RunRecord) -> list[Figure]:
    """What is no outcome of a match: delivered without something they do not have, and root recordings."""
    return [
        Figure(str(reason), record.by_reason[reason], REASON_WORDS[reason])
        for reason in Reason
        if reason in NOT_APPLICABLE and record.by_reason.get(reason)
    ] + (
        [Figure(str(Reason.ROOT_UNSUPPORTED), record.roots, REASON_WORDS[Reason.ROOT_UNSUPPORTED])]
        if record.roots
        else []
    )
