from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.contacts_csv.local_time import clock_text, date_text, iso_time_text, local_times
from bulk_export.time_zones import zone_names

ZONES = ("America/Bogota", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Madrid", "America/St_Johns")


def shown(started_at: datetime | None, zone: str | None) -> tuple[str | None, str | None, str | None]:
    times = local_times(pa.array([started_at], pa.timestamp("us", "UTC")), pa.array([zone], pa.string()))
    texts = (date_text(times, "{day}/{month}/{year}"), clock_text(times), iso_time_text(times))
    return tuple(text.to_pylist()[0] for text in texts)  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("utc", "zone", "day", "clock", "iso"),
    [
        # Madrid, last Sunday of March: 01:59:59 is followed by 03:00.
        ("2026-03-29T00:59:59", "Europe/Madrid", "29/03/2026", "01:59 AM", "01:59:59+01:00"),
        ("2026-03-29T01:00:00", "Europe/Madrid", "29/03/2026", "03:00 AM", "03:00:00+02:00"),
        # And in October 02:30 comes twice.
        ("2026-10-25T00:30:00", "Europe/Madrid", "25/10/2026", "02:30 AM", "02:30:00+02:00"),
        ("2026-10-25T01:30:00", "Europe/Madrid", "25/10/2026", "02:30 AM", "02:30:00+01:00"),
        # Lord Howe moves by half an hour: back from 02:00 to 01:30 in April.
        ("2026-04-04T14:59:59", "Australia/Lord_Howe", "05/04/2026", "01:59 AM", "01:59:59+11:00"),
        ("2026-04-04T15:00:00", "Australia/Lord_Howe", "05/04/2026", "01:30 AM", "01:30:00+10:30"),
        ("2026-01-01T00:00:00", "Asia/Kathmandu", "01/01/2026", "05:45 AM", "05:45:00+05:45"),
        ("2026-01-01T00:00:00", "America/St_Johns", "31/12/2025", "08:30 PM", "20:30:00-03:30"),
        ("2026-01-01T12:00:00", "UTC", "01/01/2026", "12:00 PM", "12:00:00+00:00"),
        ("2026-01-01T00:00:00", "UTC", "01/01/2026", "12:00 AM", "00:00:00+00:00"),
        ("1969-12-31T23:59:59", "UTC", "31/12/1969", "11:59 PM", "23:59:59+00:00"),
    ],
)
def test_times_are_those_of_the_contact_s_own_clock(utc: str, zone: str, day: str, clock: str, iso: str) -> None:
    assert shown(datetime.fromisoformat(utc).replace(tzinfo=UTC), zone) == (day, clock, iso)


@settings(deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)), st.sampled_from(ZONES)
        ),
        min_size=1,
    )
)
def test_any_time_in_any_mix_of_zones_agrees_with_python_s_zones(contacts: list[tuple[datetime, str]]) -> None:
    started_at, zones = zip(*contacts, strict=True)
    times = local_times(pa.array(started_at, pa.timestamp("us", "UTC")), pa.array(zones))
    local = [start.astimezone(ZoneInfo(zone)) for start, zone in contacts]
    assert date_text(times, "{year}-{month}-{day}").to_pylist() == [f"{time:%Y-%m-%d}" for time in local]
    assert clock_text(times).to_pylist() == [f"{time:%I:%M} {'AM' if time.hour < 12 else 'PM'}" for time in local]
    assert iso_time_text(times).to_pylist() == [
        time.replace(microsecond=0).isoformat().partition("T")[2] for time in local
    ]


@pytest.mark.parametrize(
    "zone", [None, "", "Mars/Olympus", "america/bogota", "../../etc/passwd", "+05:30", "localtime", " UTC", "\0"]
)
def test_a_zone_nobody_knows_gives_utc_and_says_so(zone: str | None) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert shown(noon, zone) == ("01/01/2026", "12:00 PM", "12:00:00+00:00")
    assert local_times(pa.array([noon]), pa.array([zone], pa.string())).unknown_zone.to_pylist() == [True]


def test_every_zone_a_definition_may_name_is_known_and_right() -> None:
    # The machine's zone database, which Arrow reads, lacks the newest of these.
    zones = sorted(zone_names())
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    times = local_times(pa.array([noon] * len(zones), pa.timestamp("us", "UTC")), pa.array(zones))
    assert times.unknown_zone.true_count == 0
    assert iso_time_text(times).to_pylist() == [
        noon.astimezone(ZoneInfo(zone)).isoformat().partition("T")[2] for zone in zones
    ]


def test_an_unknown_start_shows_nothing() -> None:
    assert shown(None, "Europe/Madrid") == (None, None, None)


def test_years_beyond_python_s_calendar_do_not_crash() -> None:
    far = pa.array([2**62, -(2**62)], pa.timestamp("us", "UTC"))
    times = local_times(far, pa.array(["UTC", "UTC"]))
    assert [len(text) for text in clock_text(times).to_pylist()] == [8, 8]
    assert date_text(times, "{year}").to_pylist() == ["148108", "-144169"]
