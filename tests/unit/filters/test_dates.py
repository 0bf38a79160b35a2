"""Date operators as intervals: zones, changes of clocks, weeks, months, and never past the run's logical date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.filters import date_spans
from bulk_export.filters.date_spans import DateSpan, Days, Instants, Reading
from bulk_export.filters.dates import EARLIEST, LATEST, parse_point, whole_days

# A Wednesday, half past three in the afternoon UTC.
AS_OF = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)


def instants(operator: str, operands: tuple[date | int, ...], *, as_of: datetime, zone: ZoneInfo) -> Instants:
    return span_of(operator).instants(Reading(operands, as_of, zone))


def days(operator: str, operands: tuple[date | int, ...], *, as_of: datetime, zone: ZoneInfo) -> Days:
    return span_of(operator).days(Reading(operands, as_of, zone))


def span_of(operator: str) -> DateSpan:
    found = getattr(date_spans, operator.upper())
    assert isinstance(found, DateSpan)
    return found


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(operator: str, *written: object, zone: str = "UTC", as_of: datetime = AS_OF) -> tuple[str | None, str | None]:
    operands = tuple(value if isinstance(value, int) else parse_point(value) for value in written)
    found = instants(operator, operands, as_of=as_of, zone=ZoneInfo(zone))
    sides = (found.start, found.end)
    start, end = (
        side and side.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f").removesuffix(":00.000000") for side in sides
    )
    return start, end


@pytest.mark.parametrize(
    ("operator", "count", "zone", "start", "end"),
    [
        ("today", None, "UTC", "2026-11-18 00:00", "2026-11-18 15:30"),
        ("today", None, "America/Bogota", "2026-11-18 05:00", "2026-11-18 15:30"),
        # In Auckland it is already the 19th.
        ("today", None, "Pacific/Auckland", "2026-11-18 11:00", "2026-11-18 15:30"),
        ("yesterday", None, "Pacific/Auckland", "2026-11-17 11:00", "2026-11-18 11:00"),
        ("yesterday", None, "Asia/Kathmandu", "2026-11-16 18:15", "2026-11-17 18:15"),
        ("this_week", None, "UTC", "2026-11-16 00:00", "2026-11-18 15:30"),
        ("last_week", None, "UTC", "2026-11-09 00:00", "2026-11-16 00:00"),
        # New York fell back on 1 November: the month began in summer time.
        ("this_month", None, "America/New_York", "2026-11-01 04:00", "2026-11-18 15:30"),
        ("last_month", None, "America/New_York", "2026-10-01 04:00", "2026-11-01 04:00"),
        ("last_days", 1, "UTC", "2026-11-17 00:00", "2026-11-18 00:00"),
        ("last_days", 30, "America/New_York", "2026-10-19 04:00", "2026-11-18 05:00"),
        ("last_hours", 24, "America/New_York", "2026-11-17 15:30", "2026-11-18 15:30"),
        ("last_hours", 1, "Asia/Kathmandu", "2026-11-18 14:30", "2026-11-18 15:30"),
        ("older_than_days", 7, "America/Bogota", None, "2026-11-11 05:00"),
    ],
)
def test_relative_dates_look_back_from_the_logical_date(
    operator: str, count: int | None, zone: str, start: str | None, end: str
) -> None:
    assert span(operator, *([] if count is None else [count]), zone=zone) == (start, end)


@pytest.mark.parametrize(
    ("operator", "written", "zone", "start", "end"),
    [
        ("on", ["2026-11-01"], "UTC", "2026-11-01 00:00", "2026-11-02 00:00"),
        ("before", ["2026-11-01"], "America/Bogota", None, "2026-11-01 05:00"),
        ("after", ["2026-11-01"], "America/Bogota", "2026-11-02 05:00", None),
        ("on_or_before", ["2026-11-01"], "America/Bogota", None, "2026-11-02 05:00"),
        ("on_or_after", ["2026-11-01"], "America/Bogota", "2026-11-01 05:00", None),
        ("between", ["2026-11-01", "2026-11-02"], "UTC", "2026-11-01 00:00", "2026-11-03 00:00"),
        ("between", ["2026-11-01T08:00", "2026-11-01T09:00"], "UTC", "2026-11-01 08:00", "2026-11-01 09:00"),
        ("between", ["2026-11-01", "2026-11-02T09:00"], "UTC", "2026-11-01 00:00", "2026-11-02 09:00"),
        ("on", ["2026-11-01T08:00"], "UTC", "2026-11-01 08:00", "2026-11-01 08:01"),
        ("on", ["2026-11-01 08:00:05"], "UTC", "2026-11-01 08:00:05.000000", "2026-11-01 08:00:06.000000"),
        ("before", ["2026-11-01T08:00"], "America/Bogota", None, "2026-11-01 13:00"),
        ("after", ["2026-11-01T08:00"], "UTC", "2026-11-01 08:00:00.000001", None),
        ("on_or_before", ["2026-11-01T08:00"], "UTC", None, "2026-11-01 08:00:00.000001"),
        ("on_or_after", ["2026-11-01T08:00"], "UTC", "2026-11-01 08:00", None),
        # An offset says which instant is meant, whatever the zone.
        ("before", ["2026-11-01T08:00+02:00"], "America/Bogota", None, "2026-11-01 06:00"),
        ("before", ["2026-11-01T08:00Z"], "America/Bogota", None, "2026-11-01 08:00"),
    ],
)
def test_absolute_dates_are_days_or_instants(
    operator: str, written: list[str], zone: str, start: str | None, end: str | None
) -> None:
    assert span(operator, *written, zone=zone) == (start, end)


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("America/New_York", "2026-03-08", "2026-03-08 05:00", 23),
        ("America/New_York", "2026-11-01", "2026-11-01 04:00", 25),
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03 13:30", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04 13:00", 24.5),
        # Midnight does not exist: the day begins with the change of clocks.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00", 23),
        ("Africa/Cairo", "2026-04-24", "2026-04-23 22:00", 23),
        # Midnight falls into the middle of the skipped hour: 23:30 became 00:30.
        ("America/Toronto", "1919-03-31", "1919-03-31 04:30", 23.5),
        # Midnight happens twice: the day begins the first time.
        ("America/Havana", "2026-11-01", "2026-11-01 04:00", 25),
        # Samoa skipped this day altogether.
        ("Pacific/Apia", "2011-12-30", "2011-12-30 10:00", 0),
    ],
)
def test_a_day_lasts_as_long_as_its_clocks_say(zone: str, day: str, start: str, hours: float) -> None:
    first, end = span("on", day, zone=zone)
    assert first == start
    assert end is not None
    assert utc(end) - utc(start) == timedelta(hours=hours)


def test_a_skipped_time_is_the_change_of_clocks_and_a_repeated_one_its_first_occurrence() -> None:
    assert span("on_or_after", "2026-03-08T02:30", zone="America/New_York") == ("2026-03-08 07:00", None)
    assert span("on_or_after", "2026-10-04T02:15", zone="Australia/Lord_Howe") == ("2026-10-03 15:30", None)
    assert span("on_or_after", "2026-11-01T01:30", zone="America/New_York") == ("2026-11-01 05:30", None)
    assert span("on_or_after", "2026-11-01T01:30-05:00", zone="America/New_York") == ("2026-11-01 06:30", None)


@pytest.mark.parametrize(
    ("today", "start", "end"),
    [
        ("2026-03-31", "2026-02-01 00:00", "2026-03-01 00:00"),
        ("2024-03-01", "2024-02-01 00:00", "2024-03-01 00:00"),
        ("2026-01-01", "2025-12-01 00:00", "2026-01-01 00:00"),
        ("2026-12-31", "2026-11-01 00:00", "2026-12-01 00:00"),
    ],
)
def test_last_month_is_whole_whatever_the_months_length(today: str, start: str, end: str) -> None:
    assert span("last_month", as_of=utc(today)) == (start, end)


@pytest.mark.parametrize(("today", "monday"), [("2026-11-16", "2026-11-16"), ("2026-11-22", "2026-11-16")])
def test_weeks_start_on_monday(today: str, monday: str) -> None:
    assert span("this_week", as_of=utc(today + "T12:00")) == (f"{monday} 00:00", f"{today} 12:00")


def test_a_run_at_midnight_has_an_empty_today_and_a_whole_yesterday() -> None:
    midnight = utc("2026-11-18")
    assert span("today", as_of=midnight) == ("2026-11-18 00:00", "2026-11-18 00:00")
    assert span("yesterday", as_of=midnight) == ("2026-11-17 00:00", "2026-11-18 00:00")


def test_the_ends_of_the_calendar_do_not_overflow() -> None:
    for zone in (ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")):
        last = instants("on_or_before", (date.max,), as_of=AS_OF, zone=zone)
        first = instants("on_or_after", (date.min,), as_of=AS_OF, zone=zone)
        assert last.end is not None and last.end >= LATEST - timedelta(days=1)
        assert first.start is not None and first.start <= EARLIEST + timedelta(days=1)
    assert days("on", (date.max,), as_of=AS_OF, zone=ZoneInfo("UTC")) == Days(date.max, date.max)


def test_a_field_of_days_needs_the_zone_only_for_today() -> None:
    auckland = ZoneInfo("Pacific/Auckland")
    assert days("today", (), as_of=AS_OF, zone=auckland) == Days(date(2026, 11, 19), date(2026, 11, 20))
    assert days("today", (), as_of=AS_OF, zone=ZoneInfo("UTC")) == Days(date(2026, 11, 18), date(2026, 11, 19))
    assert days("on", (date(2026, 11, 1),), as_of=AS_OF, zone=auckland) == Days(date(2026, 11, 1), date(2026, 11, 2))
    assert days("last_hours", (12,), as_of=AS_OF, zone=auckland) == Days(date(2026, 11, 18), date(2026, 11, 20))
    assert days("last_hours", (2,), as_of=AS_OF, zone=auckland) == Days(date(2026, 11, 19), date(2026, 11, 20))


@pytest.mark.parametrize(
    "written", ["", "tomorrow", "2026-02-30", "2026-11", "20261101", "2026-W44-1", "2026-11-01T25:00", "٢٠٢٦-11-01", 7]
)
def test_what_is_no_day_or_time_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match=r"not a day|range|day is out|must be in|Invalid"):
        parse_point(written)


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(
    day=st.dates(date(1950, 1, 1), date(2036, 12, 31)),
    zone=st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu", "UTC"]),
)
def test_consecutive_days_meet_without_gap_or_overlap(day: date, zone: str) -> None:
    one = instants("on", (day,), as_of=AS_OF, zone=ZoneInfo(zone))
    following = instants("on", (day + timedelta(days=1),), as_of=AS_OF, zone=ZoneInfo(zone))
    assert one.end == following.start
    assert one.start is not None and one.end is not None and one.start < one.end
    assert one.start.astimezone(ZoneInfo(zone)).date() == day
    assert (one.end - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date() == day


def test_whole_days_reach_from_the_first_to_the_end_of_the_last_also_where_clocks_change() -> None:
    # In Madrid the clocks go back on 25 October: the day has 25 hours.
    start, end = whole_days(date(2026, 10, 24), date(2026, 10, 25), ZoneInfo("Europe/Madrid"))
    assert (start, end) == (utc("2026-10-23T22:00"), utc("2026-10-25T23:00"))
    # In Cairo 24 April begins at one o'clock.
    start, end = whole_days(date(2026, 4, 24), date(2026, 4, 24), ZoneInfo("Africa/Cairo"))
    assert (start, end - start) == (utc("2026-04-23T22:00"), timedelta(hours=23))
