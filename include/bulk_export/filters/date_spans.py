"""The half-open span of time that each date operator selects.

Instants of a timestamp, days of a field without a time of day.

Pure: the run's time and the zone come in. Three rules decide every case.

* A day is the local calendar day of the zone, as `dates.py` has it.
* A time is an instant: `after 08:00` matches 08:00:01. Only `on` gives a time a width: that minute, or that second
  when seconds other than zero are written. `between` two days includes both; a second bound that is a time is excluded.
* Relative operators look back from the run's logical date and never past it, so a re-run of an old date selects what
  it selected then: `today`, `this_week` and `this_month` end at the logical date.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bulk_export.filters.dates import ONE_DAY, end_of, first_instant, instant, instant_after, next_day, shifted


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


@dataclass(frozen=True, slots=True)
class Reading:
    """A date operator's operands, and when and where they are read.

    Attributes:
        operands: none, one day or time, two of them, or a count.
        as_of: the run's logical date, aware.
        zone: whose calendar days and wall times are meant.
    """

    operands: tuple[date | datetime | int, ...]
    as_of: datetime
    zone: ZoneInfo

    @property
    def now(self) -> datetime:
        """The logical date in UTC."""
        return self.as_of.astimezone(UTC)

    @property
    def today(self) -> date:
        """The day of the logical date in the zone."""
        return self.as_of.astimezone(self.zone).date()

    @property
    def count(self) -> int:
        """The one operand, a number."""
        count = self.operands[0]
        assert isinstance(count, int)
        return count

    def point(self, position: int = 0) -> date | datetime:
        """An operand, a day or a time."""
        point = self.operands[position]
        assert isinstance(point, date)
        return point

    def start(self, position: int = 0) -> datetime:
        """The first instant of a day, or the instant of a time."""
        return instant(self.point(position), self.zone)

    def after(self, position: int = 0) -> datetime:
        """The first instant after a day or a time."""
        return instant_after(self.point(position), self.zone)

    def end(self) -> datetime:
        """The end of a day, or of the time that was named.

        A time names its minute, or its second when seconds other than zero are written.
        """
        point = self.point()
        return end_of(point, self.zone) if isinstance(point, datetime) else self.after()


@dataclass(frozen=True, slots=True)
class DateSpan:
    """What a date operator selects.

    Attributes:
        instants: of a timestamp.
        days: of a field that has no time of day, such as `date_evaluated`; the zone only decides which day is today.
    """

    instants: Callable[[Reading], Instants]
    days: Callable[[Reading], Days]


def relative(days: Callable[[Reading], Days]) -> DateSpan:
    """The span of an operator that looks back.

    From the logical date, and never past it.
    """

    def instants(reading: Reading) -> Instants:
        found = days(reading)
        start = None if found.start is None else first_instant(found.start, reading.zone)
        end = None if found.end is None else first_instant(found.end, reading.zone)
        return Instants(start, end if end is None else min(end, reading.now))

    def until_today(reading: Reading) -> Days:
        found = days(reading)
        return Days(found.start, None if found.end is None else min(found.end, next_day(reading.today)))

    return DateSpan(instants, until_today)


ON = DateSpan(
    lambda reading: Instants(reading.start(), reading.end()),
    lambda reading: Days(reading.point(), next_day(reading.point())),
)
BEFORE = DateSpan(
    lambda reading: Instants(end=reading.start()),
    lambda reading: Days(end=reading.point()),
)
AFTER = DateSpan(
    lambda reading: Instants(start=reading.after()),
    lambda reading: Days(start=next_day(reading.point())),
)
ON_OR_BEFORE = DateSpan(
    lambda reading: Instants(end=reading.after()),
    lambda reading: Days(end=next_day(reading.point())),
)
ON_OR_AFTER = DateSpan(
    lambda reading: Instants(start=reading.start()),
    lambda reading: Days(start=reading.point()),
)
BETWEEN = DateSpan(
    lambda reading: Instants(
        reading.start(0), reading.start(1) if isinstance(reading.point(1), datetime) else reading.after(1)
    ),
    lambda reading: Days(reading.point(0), next_day(reading.point(1))),
)
TODAY = relative(lambda reading: Days(reading.today, next_day(reading.today)))
YESTERDAY = relative(lambda reading: Days(reading.today - ONE_DAY, reading.today))
THIS_WEEK = relative(lambda reading: Days(_monday(reading), _monday(reading) + 7 * ONE_DAY))
LAST_WEEK = relative(lambda reading: Days(_monday(reading) - 7 * ONE_DAY, _monday(reading)))
THIS_MONTH = relative(lambda reading: Days(_first(reading), (_first(reading) + 31 * ONE_DAY).replace(day=1)))
LAST_MONTH = relative(lambda reading: Days((_first(reading) - ONE_DAY).replace(day=1), _first(reading)))
LAST_DAYS = relative(lambda reading: Days(reading.today - timedelta(days=reading.count), reading.today))
OLDER_THAN_DAYS = relative(lambda reading: Days(end=reading.today - timedelta(days=reading.count)))
# Of days, those which the hours touch.
LAST_HOURS = DateSpan(
    lambda reading: Instants(_hours_ago(reading), reading.now),
    lambda reading: Days(_hours_ago(reading).astimezone(reading.zone).date(), next_day(reading.today)),
)


def _monday(reading: Reading) -> date:
    return reading.today - timedelta(days=reading.today.weekday())


def _first(reading: Reading) -> date:
    return reading.today.replace(day=1)


def _hours_ago(reading: Reading) -> datetime:
    return shifted(reading.now, -timedelta(hours=reading.count))
