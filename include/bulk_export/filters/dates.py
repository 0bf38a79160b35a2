"""What a date operator means: a half-open interval of instants or days. Pure: the run's time and the zone come in.

Three rules decide every case.

* A day is the local calendar day of the zone, from its first instant to the next day's first instant, so it may have
  23 or 25 hours. A wall time that a change of clocks skips means the instant of the change; one that happens twice
  means its first occurrence (write an offset to mean the other).
* A time is an instant: `after 08:00` matches 08:00:01. Only `on` gives a time a width: that minute, or that second
  when seconds other than zero are written. `between` two days includes both; a second bound that is a time is excluded.
* Relative operators look back from the run's logical date and never past it, so a re-run of an old date selects what
  it selected then: `today`, `this_week` and `this_month` end at the logical date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_WRITTEN = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?\s?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII | re.IGNORECASE
)
EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Instants:
    """UTC instants from `start` to before `end`; None leaves a side open."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """Calendar days from `start` to before `end`; None leaves a side open."""

    start: date | None = None
    end: date | None = None


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


def instants(
    operator: str, operands: tuple[date | datetime | int, ...], *, as_of: datetime, zone: ZoneInfo
) -> Instants:
    """The instants a date operator selects on a timestamp.

    Args:
        operator: a date operator of the catalogue.
        operands: none, one point, two points, or a count.
        as_of: the run's logical date, aware.
        zone: whose calendar days and wall times are meant.
    """
    now = as_of.astimezone(UTC)
    points = [_instant(operand, zone) for operand in operands if isinstance(operand, date)]
    after = [_instant_after(operand, zone) for operand in operands if isinstance(operand, date)]
    match operator:
        case "on":
            return Instants(
                points[0], after[0] if not isinstance(operands[0], datetime) else _end_of(operands[0], zone)
            )
        case "before":
            return Instants(end=points[0])
        case "after":
            return Instants(start=after[0])
        case "on_or_before":
            return Instants(end=after[0])
        case "on_or_after":
            return Instants(start=points[0])
        case "between":
            return Instants(points[0], points[1] if isinstance(operands[1], datetime) else after[1])
        case "last_hours":
            return Instants(_clamped(now, -timedelta(hours=_count(operands))), now)
    days = _relative_days(operator, operands, as_of.astimezone(zone).date())
    start = None if days.start is None else _first_instant(days.start, zone)
    end = None if days.end is None else _first_instant(days.end, zone)
    return Instants(start, end if end is None else min(end, now))


def days(operator: str, operands: tuple[date | datetime | int, ...], *, as_of: datetime, zone: ZoneInfo) -> Days:
    """The calendar days a date operator selects on a field that has no time of day, such as `date_evaluated`.

    `last_hours` selects the days those hours touch. The zone only decides which day is today.
    """
    today = as_of.astimezone(zone).date()
    first = operands[0] if operands and isinstance(operands[0], date) else today
    match operator:
        case "on":
            return Days(first, _next(first))
        case "before":
            return Days(end=first)
        case "after":
            return Days(start=_next(first))
        case "on_or_before":
            return Days(end=_next(first))
        case "on_or_after":
            return Days(start=first)
        case "between":
            last = operands[1]
            assert isinstance(last, date)
            return Days(first, _next(last))
        case "last_hours":
            earliest = _clamped(as_of.astimezone(UTC), -timedelta(hours=_count(operands)))
            return Days(earliest.astimezone(zone).date(), _next(today))
    relative = _relative_days(operator, operands, today)
    return Days(relative.start, None if relative.end is None else min(relative.end, _next(today)))


def whole_days(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The instants of some days in UTC, both included: from the first one's start to before the end of the last."""
    start, end = _first_instant(first, zone), _instant_after(last, zone)
    # A day from the ends of the calendar, so that every zone and database can still write them.
    return max(start, EARLIEST + _DAY), min(end, LATEST - _DAY)


def utc_naive(instant: datetime) -> datetime:
    """An aware time as the naive UTC time that databases compare."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def _relative_days(operator: str, operands: tuple[date | datetime | int, ...], today: date) -> Days:
    monday = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    match operator:
        case "today":
            return Days(today, _next(today))
        case "yesterday":
            return Days(today - _DAY, today)
        case "this_week":
            return Days(monday, monday + 7 * _DAY)
        case "last_week":
            return Days(monday - 7 * _DAY, monday)
        case "this_month":
            return Days(month, (month + 31 * _DAY).replace(day=1))
        case "last_month":
            return Days((month - _DAY).replace(day=1), month)
        case "last_days":
            return Days(today - timedelta(days=_count(operands)), today)
        case "older_than_days":
            return Days(end=today - timedelta(days=_count(operands)))
    raise ValueError(f"'{operator}' is not a date operator")


def _count(operands: tuple[date | datetime | int, ...]) -> int:
    count = operands[0]
    assert isinstance(count, int)
    return count


def _next(day: date) -> date:
    return day if day == date.max else date(day.year, day.month, day.day) + _DAY


def _instant(point: date | datetime, zone: ZoneInfo) -> datetime:
    if not isinstance(point, datetime):
        return _first_instant(point, zone)
    return _from_wall(point, zone) if point.tzinfo is None else _clamped(point)


def _instant_after(point: date | datetime, zone: ZoneInfo) -> datetime:
    """The first instant after a day, or the first representable one after a time."""
    if isinstance(point, datetime):
        return _clamped(_instant(point, zone), timedelta(microseconds=1))
    return LATEST if point == date.max else _first_instant(_next(point), zone)


def _end_of(point: datetime, zone: ZoneInfo) -> datetime:
    width = timedelta(seconds=1) if point.second or point.microsecond else timedelta(minutes=1)
    start = _instant(point.replace(microsecond=0), zone)
    return _clamped(start, width)


def _first_instant(day: date, zone: ZoneInfo) -> datetime:
    return _from_wall(datetime(day.year, day.month, day.day), zone)


def _from_wall(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant whose wall time in the zone is `wall`, or the change of clocks that skips it."""
    # In a gap fold=0 reads the offset before the change, fold=1 the one after it: the first gives the later instant.
    later = _clamped(wall.replace(tzinfo=zone, fold=0))
    if later in {EARLIEST, LATEST} or later.astimezone(zone).replace(tzinfo=None) == wall:
        return later
    early, late = _clamped(wall.replace(tzinfo=zone, fold=1)), later
    after = later.astimezone(zone).utcoffset()
    while late - early > timedelta(seconds=1):
        middle = early + timedelta(seconds=(late - early) // timedelta(seconds=2))
        early, late = (early, middle) if middle.astimezone(zone).utcoffset() == after else (middle, late)
    return late.replace(microsecond=0)


def _clamped(moment: datetime, shift: timedelta = timedelta()) -> datetime:
    """The moment plus the shift in UTC; the ends of the calendar instead of an overflow."""
    try:
        return moment.astimezone(UTC) + shift
    except OverflowError:
        return EARLIEST if moment.year == 1 else LATEST
