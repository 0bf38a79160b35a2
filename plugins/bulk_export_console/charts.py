"""What the audit's charts say, in the reader's language; `plots.py` draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bulk_export.state.records import RunStatus
from bulk_export.state.reservations import Usage
from bulk_export.state.statistics import DayFigures
from bulk_export_console import plots
from bulk_export_console.language import Translate
from bulk_export_console.rendering import Reader
from bulk_export_console.wording import STATUSES, TONES


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts, and the figures that stand in words beside them."""

    contacts: Markup
    contacts_total: int
    bytes: Markup
    bytes_total: int
    outcomes: Markup
    outcome_counts: tuple[tuple[RunStatus, str, int], ...]
    quota: Markup
    quota_used: int
    quota_held: int
    quota_limit: int

    @property
    def runs_total(self) -> int:
        """Runs of all days."""
        return sum(count for _, _, count in self.outcome_counts)


def charts(figures: Sequence[DayFigures], used: Usage, limit: int, _: Translate, reader: Reader) -> Charts:
    """Draw the figures of the last days and today's quota."""
    contacts, sizes = sum(day.contacts for day in figures), sum(day.bytes for day in figures)
    counts = {status: sum(day.runs.get(status, 0) for day in figures) for status in STATUSES}
    outcomes = tuple((status, TONES[status], count) for status, count in counts.items() if count)
    words = ", ".join(f"{_(STATUSES[status])} {count}" for status, _tone, count in outcomes)
    title = _("Contacts exported in {days} days: {amount}", amount=reader.number(contacts), days=len(figures))
    bytes_title = _("Delivered in {days} days: {amount}", amount=reader.size(sizes), days=len(figures))
    return Charts(
        contacts=plots.bars(
            title, [_day(d, d.contacts, reader.number(d.contacts), reader) for d in figures], reader.number
        ),
        contacts_total=contacts,
        bytes=plots.bars(bytes_title, [_day(d, d.bytes, reader.size(d.bytes), reader) for d in figures], reader.size),
        bytes_total=sizes,
        outcomes=plots.bars(
            _("Runs of the last {days} days", days=len(figures)) + (f": {words}" if words else ""),
            [_outcomes(day, _, reader) for day in figures],
            reader.number,
        ),
        outcome_counts=outcomes,
        quota=plots.gauge(
            _("{used} of {limit} contacts used today", used=reader.number(used.used), limit=reader.number(limit)),
            used.used,
            used.held,
            limit,
        ),
        quota_used=used.used,
        quota_held=used.held,
        quota_limit=limit,
    )


def _day(day: DayFigures, amount: float, words: str, reader: Reader) -> plots.Bar:
    shown = reader.day(day.day)
    return plots.Bar(shown, (("brand", amount),), f"{shown}: {words}")


def _outcomes(day: DayFigures, _: Translate, reader: Reader) -> plots.Bar:
    parts = tuple((TONES[status], float(day.runs.get(status, 0))) for status in STATUSES)
    words = ", ".join(f"{_(STATUSES[status])} {count}" for status, count in day.runs.items()) or "0"
    shown = reader.day(day.day)
    return plots.Bar(shown, parts, f"{shown}: {words}")
