from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.contacts_csv import formats

NAN, INFINITY = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "00:00:00"),
        (59, "00:00:59"),
        (3_661, "01:01:01"),
        (86_399, "23:59:59"),
        (86_400, "24:00:00"),
        (359_999, "99:59:59"),
        (360_000, "100:00:00"),
        (36_000_000, "10000:00:00"),
        (2**63 - 1, "2562047788015215:30:07"),
        (-1, None),
        (-(2**63), None),
        (None, None),
    ],
)
def test_durations_keep_all_hours_and_negative_ones_are_unknown(seconds: int | None, shown: str | None) -> None:
    assert formats.duration_text(pa.array([seconds], pa.int64())).to_pylist() == [shown]


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        (0.0, ".00"),
        (-0.0, ".00"),
        (0.07, ".07"),
        (0.5, ".50"),
        (0.0049999, ".00"),
        (0.005, ".01"),
        (0.015, ".02"),
        (0.285, ".29"),
        (0.28499999999999992, ".28"),
        (0.565, ".57"),
        (0.994999, ".99"),
        (0.995, "1.0"),
        (1.0, "1.0"),
        (1.0049, "1.0"),
        (1e-300, ".00"),
        (-0.004, ".00"),
        (None, None),
        (NAN, None),
        (INFINITY, None),
        (-INFINITY, None),
    ],
)
def test_ratios_have_two_decimals_and_no_leading_zero(ratio: float | None, shown: str | None) -> None:
    assert formats.ratio_text(pa.array([ratio], pa.float64())).to_pylist() == [shown]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(1.005, "1.01"), (4.5, "4.50"), (87.125, "87.13"), (-0.005, "-0.01"), (-3.0, "-3.00"), (1e15, "1000000000000000")],
)
def test_what_is_no_ratio_is_shown_as_a_number(value: float, shown: str) -> None:
    assert formats.ratio_text(pa.array([value])).to_pylist() == [shown]


def test_every_thousandth_rounds_as_decimal_arithmetic_does() -> None:
    written = [f"{thousandth / 1000:.3f}" for thousandth in range(995)]
    expected = [str(Decimal(text).quantize(Decimal("0.01"), ROUND_HALF_UP)).removeprefix("0") for text in written]
    assert formats.ratio_text(pa.array([float(text) for text in written])).to_pylist() == expected


@settings(deadline=None, derandomize=True, max_examples=500)
@given(st.lists(st.floats(0, 0.9949), min_size=1))
def test_any_double_rounds_as_the_decimal_it_reads_as(ratios: list[float]) -> None:
    expected = [
        str(Decimal(repr(ratio)).quantize(Decimal("0.01"), ROUND_HALF_UP)).removeprefix("0") for ratio in ratios
    ]
    assert formats.ratio_text(pa.array(ratios)).to_pylist() == expected


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (9.0, "9"),
        (6.5, "6.5"),
        (10.0, "10"),
        (100.0, "100"),
        (-100.0, "-100"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e-7, "0.0000001"),
        (1e16, "10000000000000000"),
        (NAN, None),
        (INFINITY, None),
        (None, None),
    ],
)
def test_decimals_have_no_exponent_and_no_trailing_zeros(value: float | None, shown: str | None) -> None:
    assert formats.decimal_text(pa.array([value], pa.float64())).to_pylist() == [shown]


@settings(deadline=None, derandomize=True)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_decimal_reads_back_as_the_same_double(values: list[float]) -> None:
    shown = formats.decimal_text(pa.array(values)).to_pylist()
    assert [float(text) for text in shown] == values
    assert not any("e" in text for text in shown)


def test_days_follow_the_pattern_also_beyond_python_s_calendar() -> None:
    days = pa.array([0, 20_781, 3_000_000, None], pa.int32()).cast(pa.date32())
    assert formats.day_text(days, "{month}/{day}/{year}").to_pylist() == [
        "01/01/1970",
        "11/24/2026",
        "09/21/10183",
        None,
    ]


def test_unknown_yes_no_stays_unknown() -> None:
    assert formats.yes_no_text(pa.array([True, False, None]), ("Sí", "No")).to_pylist() == ["Sí", "No", None]
