"""When a contact started, on its own wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeAlias, cast
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.contacts_csv.formats import by_distinct, day_text, duration_text
from bulk_export.time_zones import zone_names

Microseconds: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND_US = 1_000_000
_MINUTE_US = 60 * _SECOND_US
_DAY_US = 86_400 * _SECOND_US


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """Start times of one batch on the contacts' own clocks.

    Attributes:
        wall_us: int64 microseconds since 1970-01-01T00:00 on the contact's clock; null where the start is unknown.
        offset_s: int64 seconds the clock is ahead of UTC.
        unknown_zone: True where the zone is missing or not an IANA name; the clock is then UTC, never a guess.
    """

    wall_us: pa.Array
    offset_s: pa.Array
    unknown_zone: pa.Array


def local_times(started_at: pa.Array, zones: pa.Array) -> LocalTimes:
    """Convert UTC start times to each contact's zone.

    Args:
        started_at: timestamps.
        zones: IANA names; one Arrow call for each distinct one.
    """
    started_at = pc.cast(started_at, pa.timestamp("us", "UTC"))
    utc_us = pc.fill_null(pc.cast(started_at, pa.int64()), 0).to_numpy(zero_copy_only=False)
    wall_us = utc_us.copy()
    unknown = np.ones(len(utc_us), dtype=bool)
    encoded = zones.dictionary_encode()
    indices = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    for index, zone in enumerate(encoded.dictionary.to_pylist()):
        if zone not in zone_names():
            continue
        rows = indices == index
        wall_us[rows] = _wall_us(utc_us[rows], zone)
        unknown[rows] = False
    missing = started_at.is_null().to_numpy(zero_copy_only=False)
    return LocalTimes(
        wall_us=pa.array(wall_us, mask=missing),
        offset_s=pa.array((wall_us - utc_us) // _SECOND_US, mask=missing),
        unknown_zone=pa.array(unknown),
    )


def _wall_us(utc_us: Microseconds, zone: str) -> Microseconds:
    try:
        local = pc.local_timestamp(pa.array(utc_us).cast(pa.timestamp("us", zone)))
    except pa.ArrowInvalid:
        # Arrow reads the machine's zone database, which may be older than Python's or not there at all.
        return _wall_us_by_python(utc_us, ZoneInfo(zone))
    return cast("Microseconds", local.cast(pa.int64()).to_numpy(zero_copy_only=False))


def _wall_us_by_python(utc_us: Microseconds, zone: ZoneInfo) -> Microseconds:
    distinct, places = np.unique(utc_us, return_inverse=True)
    return (distinct + np.array([_offset_us(moment, zone) for moment in distinct.tolist()], np.int64))[places]


def _offset_us(utc_us: int, zone: ZoneInfo) -> int:
    try:
        offset = (_EPOCH + timedelta(microseconds=utc_us)).astimezone(zone).utcoffset()
    except OverflowError:  # a year that no calendar of Python's has
        offset = None
    return offset // timedelta(microseconds=1) if offset else 0


def date_text(times: LocalTimes, pattern: str) -> pa.Array:
    """The day on the contact's clock, by a pattern.

    Args:
        times: of the batch.
        pattern: with `{day}`, `{month}` and `{year}`.
    """
    return day_text(_floor(times.wall_us, _DAY_US).cast(pa.int32()), pattern)


def clock_text(times: LocalTimes) -> pa.Array:
    """`HH:MM AM` or `HH:MM PM`.

    Midnight is 12:00 AM, noon is 12:00 PM.
    """
    return _twelve_hours().take(_floor(_within_day(times), _MINUTE_US))


def iso_time_text(times: LocalTimes) -> pa.Array:
    """`HH:MM:SS±HH:MM`: the time and the clock's offset from UTC."""
    clock = duration_text(_floor(_within_day(times), _SECOND_US))
    return pc.binary_join_element_wise(clock, by_distinct(times.offset_s, _offset), "")


def _within_day(times: LocalTimes) -> pa.Array:
    return pc.subtract(times.wall_us, pc.multiply(_floor(times.wall_us, _DAY_US), _DAY_US))


def _floor(values: pa.Array, unit: int) -> pa.Array:
    # Arrow's integer division goes towards zero, which is wrong before 1970.
    floored = np.floor_divide(pc.fill_null(values, 0).to_numpy(zero_copy_only=False), unit)
    return pa.array(floored, mask=values.is_null().to_numpy(zero_copy_only=False))


def _offset(seconds: int) -> str:
    hours, rest = divmod(abs(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    # Only clocks of before about 1970 are off by seconds.
    return f"{'-' if seconds < 0 else '+'}{hours:02}:{minutes:02}" + (f":{rest:02}" if rest else "")


@cache
def _twelve_hours() -> pa.Array:
    return pa.array(
        f"{(minute // 60 - 1) % 12 + 1:02}:{minute % 60:02} {'AM' if minute < 720 else 'PM'}" for minute in range(1440)
    )
