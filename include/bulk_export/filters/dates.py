"""Days and times as people write them, as instants. Pure.

A day is the local calendar day of the zone, from its first instant to the next day's first instant, so it may have 23
or 25 hours. A wall time that a change of clocks skips means the instant of the change; one that happens twice means its
first occurrence (write an offset to mean the other).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)
_WRITTEN = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?\s?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII | re.IGNORECASE
)
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


def parse_point(value: object) -> date | datetime:
    """A day or a time as written in a definition.

    Args:
        value: `"2026-11-01"`, `"2026-11-01T08:00"`, the same with seconds or offset, or a date or datetime.

    Raises:
        ValueError: it is none of these, or no such day or time exists.
    """
    if isinstance(value, datetime):
        # YAML readers hand out subclasses; a plain one compares and binds predictably.
        return datetime.combine(value.date(), value.timetz())
    if isinstance(value, date):
        return value
    if not isinstance(value, str) or not _WRITTEN.fullmatch(value.strip()):
        raise ValueError("not a day such as 2026-11-01 or a time such as 2026-11-01T08:00")
    written = value.strip().upper()
    return date.fromisoformat(written) if len(written) == len("2026-11-01") else datetime.fromisoformat(written)


def whole_days(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants of some days in UTC, both days included.

    From the first one's start to before the end of the last.
    """
    start, end = first_instant(first, zone), instant_after(last, zone)
    # A day from the ends of the calendar, so that every zone and database can still write them.
    return max(start, EARLIEST + ONE_DAY), min(end, LATEST - ONE_DAY)


def utc_naive(moment: datetime) -> datetime:
    """An aware time as the naive UTC time that databases compare."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def next_day(day: date) -> date:
    """The day after; the calendar's last day stays itself."""
    return day if day == date.max else date(day.year, day.month, day.day) + ONE_DAY


def instant(point: date | datetime, zone: ZoneInfo) -> datetime:
    """The first instant of a day, or the instant of a time."""
    if not isinstance(point, datetime):
        return first_instant(point, zone)
    return _from_wall(point, zone) if point.tzinfo is None else shifted(point)


def instant_after(point: date | datetime, zone: ZoneInfo) -> datetime:
    """The first instant after a day or a time."""
    if isinstance(point, datetime):
        return shifted(instant(point, zone), timedelta(microseconds=1))
    return LATEST if point == date.max else first_instant(next_day(point), zone)


def end_of(point: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the minute, or second, of a time."""
    width = timedelta(seconds=1) if point.second or point.microsecond else timedelta(minutes=1)
    start = instant(point.replace(microsecond=0), zone)
    return shifted(start, width)


def first_instant(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins in the zone."""
    return _from_wall(datetime(day.year, day.month, day.day), zone)


def _from_wall(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant whose wall time in the zone is `wall`, or the change of clocks that skips it."""
    # In a gap fold=0 reads the offset before the change, fold=1 the one after it: the first gives the later instant.
    later = shifted(wall.replace(tzinfo=zone, fold=0))
    if later in {EARLIEST, LATEST} or later.astimezone(zone).replace(tzinfo=None) == wall:
        return later
    early, late = shifted(wall.replace(tzinfo=zone, fold=1)), later
    after = later.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        early, late = (early, middle) if middle.astimezone(zone).utcoffset() == after else (middle, late)
    return late.replace(microsecond=0)


def shifted(moment: datetime, shift: timedelta = timedelta()) -> datetime:
    """The moment plus a shift, within the calendar, in UTC."""
    try:
        return moment.astimezone(UTC) + shift
    except OverflowError:
        return EARLIEST if moment.year == 1 else LATEST
