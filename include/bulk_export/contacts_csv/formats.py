"""Numbers, durations, days and labels as the CSV shows them.

Arrays in, string arrays out; null stays null.

Rounding is half up on the decimal value a person wrote: 0.285 gives `.29`, although the double nearest to 0.285 is
below it. A double means the shortest decimal that reads back as it (what Python's `repr` shows).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

Value = TypeVar("Value")

_DAY_S = 86_400
_CENT = Decimal("0.01")
# Beyond this, doubles have no decimals left to round.
_LARGEST_ROUNDED = 1e15


def seconds_text(seconds: pa.Array) -> pa.Array:
    """Whole seconds; a negative duration is unknown, so null."""
    return pc.cast(_not_negative(seconds), pa.string())


def duration_text(seconds: pa.Array) -> pa.Array:
    """`HH:MM:SS`, of any number of hours.

    A negative duration is unknown, so null.
    """
    seconds = _not_negative(seconds)
    long = pc.fill_null(pc.greater_equal(seconds, _DAY_S), False)
    text = _clock_table().take(pc.if_else(long, None, seconds))
    return _replace(text, long, seconds, _clock)


def ratio_text(ratios: pa.Array) -> pa.Array:
    """`.99`: two decimals, no leading zero; `1.0` for one.

    Not a number and infinity are unknown, so null.

    A value that does not round into 0..1 is not a ratio, such as a survey score of 4.5. It is shown as an ordinary
    number with two decimals, `4.50`, rather than hidden.
    """
    values = pc.fill_null(ratios, math.nan).to_numpy(zero_copy_only=False)
    finite = np.isfinite(values)
    values = np.where(finite, values, 0.0)
    # What is outside is rounded in decimal below, so the estimate only has to be right from 0 to 1.
    cents = np.floor(np.clip(values, -1, 2) * 100 + 0.5)
    # (2n - 1) / 200 is the double nearest to the exact border below n hundredths, so comparing with it decides as
    # decimal arithmetic would; values * 100 alone does not.
    cents = np.where(values < (2 * cents - 1) / 200, cents - 1, cents)
    cents = np.where(values >= (2 * cents + 1) / 200, cents + 1, cents)
    ratio = finite & (values > -0.005) & (cents <= 100)
    text = _ratio_table().take(pa.array(np.where(ratio, cents, 0).astype(np.int64), mask=~ratio))
    return _replace(text, pa.array(finite & ~ratio), ratios, _two_decimals)


def decimal_text(values: pa.Array) -> pa.Array:
    """The shortest exact decimal, `9` or `6.5`.

    Without exponent or trailing zeros; not a number and infinity are unknown, so null.
    """
    values = pc.if_else(pc.is_finite(values), values, None)
    text = pc.cast(values, pa.string())
    # Arrow writes exponents for very large and very small numbers, and "-0".
    odd = pc.or_(pc.fill_null(pc.match_substring(text, "e"), False), pc.fill_null(pc.equal(values, 0), False))
    return _replace(text, odd, values, _plain)


def integer_text(values: pa.Array) -> pa.Array:
    """All digits, no separators."""
    return pc.cast(values, pa.string())


def yes_no_text(flags: pa.Array, labels: tuple[str, str]) -> pa.Array:
    """The label of true or of false."""
    return pc.if_else(flags, *labels)


def day_text(days: pa.Array, pattern: str) -> pa.Array:
    """Days by a pattern of `{day}`, `{month}` and `{year}`.

    Args:
        days: date32, or int32 days since 1970.
        pattern: such as `{month}/{day}/{year}`.
    """

    def show(day: int) -> str:
        # numpy knows years that Python's datetime refuses.
        year, month, day_of_month = str(np.datetime64(day, "D")).rsplit("-", 2)
        return pattern.format(year=year, month=month, day=day_of_month)

    return by_distinct(pc.cast(days, pa.int32()), show)


def by_distinct(values: pa.Array, show: Callable[[Value], str]) -> pa.Array:
    """Apply a Python function once per distinct value: right wherever values repeat."""
    encoded = values.dictionary_encode()
    shown = [show(value) for value in encoded.dictionary.to_pylist()]
    return pa.array(shown, pa.string()).take(encoded.indices)


def _replace(text: pa.Array, where: pa.Array, values: pa.Array, show: Callable[[Value], str]) -> pa.Array:
    if not pc.any(where).as_py():
        return text
    return pc.replace_with_mask(text, where, by_distinct(values.filter(where), show))


def _not_negative(seconds: pa.Array) -> pa.Array:
    return pc.if_else(pc.greater_equal(seconds, 0), seconds, None)


def _clock(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}"


def _two_decimals(value: float) -> str:
    if abs(value) >= _LARGEST_ROUNDED:
        return _plain(value)
    return f"{Decimal(repr(value)).quantize(_CENT, ROUND_HALF_UP):f}"


def _plain(value: float) -> str:
    if value == 0:
        return "0"
    digits = f"{Decimal(repr(value)):f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


@cache
def _clock_table() -> pa.Array:
    return pa.array([_clock(seconds) for seconds in range(_DAY_S)])


@cache
def _ratio_table() -> pa.Array:
    return pa.array([*(f".{cents:02}" for cents in range(100)), "1.0"])
