"""Count over many runs.

Per day what was exported and how runs ended, and how many are open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Engine, case, func, select

from bulk_export.state.database import transaction
from bulk_export.state.records import OPEN, RunStatus
from bulk_export.state.tables import runs


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What the runs asked for on one day came to.

    Attributes:
        day: calendar day in the zone asked for.
        contacts: exported, masked ones included.
        bytes: of media and transcripts.
        runs: how many have each status.
    """

    day: date
    contacts: int
    bytes: int
    runs: Mapping[RunStatus, int]


def daily_figures(engine: Engine, *, last: date, days: int, zone: str) -> list[DayFigures]:
    """The figures of each day up to and including `last`.

    Of `days` calendar days, oldest first; days without runs are there too.
    """
    first = last - timedelta(days=days - 1)
    starts = [_start(first + timedelta(days=number), zone) for number in range(days + 1)]
    c = runs.c
    # The day as a number, by comparing with each day's end: no database needs to know the zone.
    number = case(*((c.queued_at < end, index) for index, end in enumerate(starts[1:])), else_=days)
    sums = [
        func.count().cast(BigInteger),
        func.coalesce(func.sum(c.exported), 0).cast(BigInteger),
        func.coalesce(func.sum(c.media_bytes + c.transcript_bytes), 0).cast(BigInteger),
    ]
    statement = select(number.label("number"), c.status, *sums)
    statement = statement.where(c.queued_at >= starts[0], c.queued_at < starts[-1]).group_by("number", c.status)
    contacts, sizes = [0] * days, [0] * days
    outcomes: list[dict[RunStatus, int]] = [{} for _ in range(days)]
    with transaction(engine, reading=True) as connection:
        for index, status, count, exported, size in connection.execute(statement):
            contacts[index] += exported
            sizes[index] += size
            outcomes[index][RunStatus(status)] = count
    return [
        DayFigures(first + timedelta(days=index), contacts[index], sizes[index], outcomes[index])
        for index in range(days)
    ]


@dataclass(frozen=True, slots=True)
class OpenRuns:
    """How many runs are open.

    Attributes:
        count: all of them.
        long_open: those asked for before a given moment.
        oldest: when the oldest was asked for; None without any.
        oldest_key: its key.
    """

    count: int
    long_open: int
    oldest: datetime | None
    oldest_key: str | None


def open_runs(engine: Engine, *, long_before: datetime) -> OpenRuns:
    """Count the runs that are QUEUED or RUNNING."""
    c = runs.c
    is_open = c.status.in_(sorted(OPEN))
    counted = select(func.count(), func.min(c.queued_at)).where(is_open)
    oldest_first = select(c.run_key).where(is_open).order_by(c.queued_at, c.run_id).limit(1)
    with transaction(engine, reading=True) as connection:
        count, oldest = connection.execute(counted).one()
        long_open = connection.execute(counted.where(c.queued_at < long_before)).one()[0]
        return OpenRuns(count, long_open, oldest, connection.scalar(oldest_first))


def _start(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), tzinfo=ZoneInfo(zone))


def known_exports(engine: Engine) -> dict[str, str]:
    """Name by id of every export that ever ran.

    Also of those deleted since; the name of its latest run.
    """
    c = runs.c
    latest = select(c.export_id, func.max(c.queued_at).label("queued_at")).group_by(c.export_id).subquery()
    statement = select(c.export_id, func.max(c.export_name)).join(
        latest, (c.export_id == latest.c.export_id) & (c.queued_at == latest.c.queued_at)
    )
    with transaction(engine, reading=True) as connection:
        found = connection.execute(statement.group_by(c.export_id)).all()
    return dict(sorted(((row[0], row[1]) for row in found), key=lambda pair: pair[1].lower()))
