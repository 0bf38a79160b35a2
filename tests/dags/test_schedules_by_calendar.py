"""Run times held against a calendar that knows nothing of cron: the wall clock, looked at minute by minute."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bulk_export.definitions.models import WEEKDAYS, Schedule
from bulk_export.definitions.schedules import next_runs

Wanted = Callable[[datetime], bool]


def weekly(*days: str, time: str) -> tuple[dict[str, Any], Wanted]:
    return {"weekly": {"days": days, "time": time}}, lambda wall: WEEKDAYS[wall.weekday()] in days


def monthly(day: int, time: str) -> tuple[dict[str, Any], Wanted]:
    return (
        {"monthly": {"day": day, "time": time}},
        lambda wall: wall.day == min(day, monthrange(wall.year, wall.month)[1]),
    )


def by_calendar(wanted: Wanted, time: str, zone: str, first: datetime, last: datetime) -> Iterator[datetime]:
    """Every day that is wanted, at its time: the last moment that shows it, or the same time after a gap before it."""
    hour, minute = map(int, time.split(":"))
    day = (first - timedelta(days=2)).replace(tzinfo=None, hour=0, minute=0)
    while day < last.replace(tzinfo=None) + timedelta(days=2):
        if wanted(day):
            wall = day.replace(hour=hour, minute=minute)
            midnight = day.replace(tzinfo=UTC) - timedelta(hours=16)
            minutes = [midnight + timedelta(minutes=minute) for minute in range(60 * 48)]
            # Every zone is a number of quarters of an hour away from UTC.
            shown = [moment for moment in minutes[minute % 15 :: 15] if local(moment, zone) == wall]
            if not shown:  # skipped: as long after the gap as the time is after its beginning
                before = max(moment for moment in minutes if local(moment, zone) < wall)
                shown = [before + (wall - local(before, zone))]
            if first < shown[-1] <= last:
                yield shown[-1]
        day += timedelta(days=1)


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


# Zones whose clocks change by an hour, by half an hour, at midnight, or not at all; short months, leap years.
CASES = [
    (weekly("mon", "thu", time="02:30"), "02:30", "America/Bogota", 2027),
    (weekly("sun", time="02:30"), "02:30", "Europe/Berlin", 2027),
    (weekly("sun", time="02:00"), "02:00", "America/New_York", 2028),
    (weekly("sun", time="01:45"), "01:45", "Australia/Lord_Howe", 2027),
    (weekly("sun", time="02:15"), "02:15", "Australia/Lord_Howe", 2028),
    (weekly("fri", "sat", time="00:30"), "00:30", "Africa/Cairo", 2027),
    (weekly("sun", time="00:00"), "00:00", "America/Santiago", 2027),
    (weekly(*WEEKDAYS, time="23:59"), "23:59", "Asia/Kathmandu", 2028),
    (monthly(28, "23:00"), "23:00", "UTC", 2027),
    (monthly(29, "02:30"), "02:30", "Europe/Berlin", 2027),
    (monthly(29, "23:00"), "23:00", "America/Bogota", 2028),
    (monthly(30, "00:00"), "00:00", "Pacific/Auckland", 2027),
    (monthly(31, "02:30"), "02:30", "America/New_York", 2028),
    (monthly(31, "23:00"), "23:00", "Asia/Tokyo", 2100),  # divisible by four, and yet no leap year
    (monthly(1, "00:00"), "00:00", "Australia/Lord_Howe", 2027),
]


@pytest.mark.parametrize(
    ("kind", "time", "zone", "year"),
    CASES,
    ids=[f"{next(iter(kind[0]))} {time} {zone} {year}" for kind, time, zone, year in CASES],
)
def test_a_year_of_runs_is_that_of_the_calendar_in_the_ui_and_in_airflow(
    kind: tuple[dict[str, Any], Wanted], time: str, zone: str, year: int
) -> None:
    content, wanted = kind
    first, last = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 3, 1, tzinfo=UTC)
    schedule = Schedule.model_validate(content | {"time_zone": zone})
    expected = list(by_calendar(wanted, time, zone, first, last))

    assert next_runs(schedule, first, len(expected)) == expected
    assert in_airflow(schedule, first, last) == expected


def in_airflow(schedule: Schedule, first: datetime, last: datetime) -> list[datetime]:
    """The ticks between two moments, as Airflow's scheduler goes from one to the next."""
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import DataInterval, TimeRestriction
    from pendulum import instance

    from bulk_export_airflow.dag import timetable

    scheduler = coerce_to_core_timetable(timetable(schedule))
    every_tick = TimeRestriction(earliest=None, latest=None, catchup=True)
    found, at = [], instance(first)
    while True:
        info = scheduler.next_dagrun_info(last_automated_data_interval=DataInterval.exact(at), restriction=every_tick)
        if info.run_after > last:
            return found
        at = info.run_after
        found.append(datetime.fromtimestamp(at.timestamp(), UTC))
