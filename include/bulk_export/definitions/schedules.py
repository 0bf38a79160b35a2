"""Cron expressions and next run times of saved exports.

The DAGs hand the expressions to Airflow's own cron timetables; `next_runs` gives the same times to the command line and
the UI. A wall time that daylight saving skips runs an hour later on the clock; one that occurs twice runs once, the
second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import groupby, islice
from zoneinfo import ZoneInfo

from croniter import croniter

from bulk_export.definitions.models import WEEKDAYS, Schedule

SHORTEST_MONTH_DAYS, LONGEST_MONTH_DAYS = 28, 31


@dataclass(frozen=True, slots=True)
class Ticks:
    """A schedule as Airflow's timetables take it.

    It ticks when any of the expressions does.

    Attributes:
        crons: five-field cron expressions; `L` is the last day of the month.
        time_zone: IANA name; the expressions are of its wall clock.
    """

    crons: tuple[str, ...]
    time_zone: str


def ticks(schedule: Schedule) -> Ticks:
    """The cron expressions of a schedule.

    | schedule | expressions |
    |---|---|
    | weekly mon, thu 02:30 | `30 2 * * 1,4` |
    | monthly day 1-28 | `0 23 15 * *` |
    | monthly day 29, 30 | `0 23 30 1,3-12 *` and, as February is shorter, `0 23 L 2 *` |
    | monthly day 31 | `0 23 L * *` |
    | cron | as written |

    No two expressions of one schedule tick in the same month, so a monthly export never runs twice in one.
    """
    return Ticks(_crons(schedule), schedule.time_zone)


def _crons(schedule: Schedule) -> tuple[str, ...]:
    if schedule.weekly is not None:
        days = sorted((WEEKDAYS.index(day) + 1) % 7 for day in set(schedule.weekly.days))
        return (f"{_clock(schedule.weekly.time)} * * {','.join(map(str, days))}",)
    if schedule.monthly is not None:
        clock, day = _clock(schedule.monthly.time), schedule.monthly.day
        if day == LONGEST_MONTH_DAYS:
            return (f"{clock} L * *",)
        if day > SHORTEST_MONTH_DAYS:
            return (f"{clock} {day} 1,3-12 *", f"{clock} L 2 *")
        return (f"{clock} {day} * *",)
    return (str(schedule.cron),)


def _clock(time: str) -> str:
    hour, minute = time.split(":")
    return f"{int(minute)} {int(hour)}"


def next_runs(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """The next `count` run times after a moment, aware UTC, oldest first."""
    wanted = ticks(schedule)
    times = merge(*(_times(cron, ZoneInfo(wanted.time_zone), after) for cron in wanted.crons))
    return list(islice((time for time, _ in groupby(times)), count))


def _times(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Every tick of one expression after a moment, aware UTC."""
    every_hour = croniter(cron).expanded[1] == ["*"]
    return _real_hours(cron, zone, after) if every_hour else _wall_times(cron, zone, after)


def _wall_times(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The moments of the wall times that an expression names."""
    # A day's head start: around a clock change, wall times are not in the order of their moments.
    ticking = croniter(cron, (after.astimezone(zone) - timedelta(days=1)).replace(tzinfo=None, fold=0))
    while True:
        wall = ticking.get_next(datetime).replace(tzinfo=zone)
        # fold=1 is the second of two; of a skipped time, fold=0 is the one an hour later on the clock.
        skipped = wall.astimezone(UTC).astimezone(zone).replace(fold=0) != wall
        moment = wall.replace(fold=0 if skipped else 1).astimezone(UTC)
        if moment > after:
            yield moment


def _real_hours(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """The moments of an expression that ticks in every hour, so also in both of a repeated one."""
    moment = after.astimezone(UTC)
    while True:
        wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        moment += croniter(cron, wall).get_next(datetime) - wall
        yield moment


def start_of(effective_from: datetime | None, file_changed_at: datetime) -> datetime:
    """The moment from which a schedule counts.

    No tick before it ever runs; a later one that was missed runs late.

    Args:
        effective_from: creation or last schedule edit, as the export's file says.
        file_changed_at: when that file last changed on this machine; serves where the file does not say.

    Returns:
        A whole minute in UTC. Rounding up loses no tick (they fall on whole minutes) and keeps machines that received
        the file within the same minute agreed.
    """
    start = (effective_from or file_changed_at).astimezone(UTC)
    whole = start.replace(second=0, microsecond=0)
    return whole if whole == start else whole + timedelta(minutes=1)
