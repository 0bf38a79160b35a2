from datetime import UTC, datetime, timedelta

import pytest

from bulk_export.definitions.models import Schedule
from bulk_export.definitions.schedules import next_runs, start_of, ticks


def weekly(*days: str, time: str = "02:30", zone: str = "UTC") -> Schedule:
    return Schedule.model_validate({"weekly": {"days": days, "time": time}, "time_zone": zone})


def monthly(day: int, time: str = "23:00", zone: str = "UTC") -> Schedule:
    return Schedule.model_validate({"monthly": {"day": day, "time": time}, "time_zone": zone})


@pytest.mark.parametrize(
    ("schedule", "crons"),
    [
        (weekly("mon", "thu"), ("30 2 * * 1,4",)),
        (weekly("sun", "sat", "sun", time="00:00"), ("0 0 * * 0,6",)),
        (monthly(15), ("0 23 15 * *",)),
        (monthly(28), ("0 23 28 * *",)),
        (monthly(29), ("0 23 29 1,3-12 *", "0 23 L 2 *")),
        (monthly(30), ("0 23 30 1,3-12 *", "0 23 L 2 *")),
        (monthly(31), ("0 23 L * *",)),
        (Schedule(cron="0 6 * * 1#1", time_zone="UTC"), ("0 6 * * 1#1",)),
    ],
)
def test_a_schedule_becomes_these_cron_expressions(schedule: Schedule, crons: tuple[str, ...]) -> None:
    assert ticks(schedule).crons == crons


@pytest.mark.parametrize("day", range(1, 32))
def test_a_monthly_schedule_runs_exactly_once_in_every_month(day: int) -> None:
    runs = next_runs(monthly(day), datetime(2026, 12, 31, 23, 30, tzinfo=UTC), 48)
    assert [(run.year, run.month) for run in runs] == [(2027 + month // 12, month % 12 + 1) for month in range(48)]


@pytest.mark.parametrize(("day", "february"), [(28, 28), (29, 29), (30, 29), (31, 29)])
def test_a_day_february_lacks_runs_on_its_last_day(day: int, february: int) -> None:
    [run] = next_runs(monthly(day), datetime(2028, 2, 1, tzinfo=UTC), 1)
    assert (run.month, run.day) == (2, february)


def test_a_skipped_wall_time_runs_an_hour_later_on_the_clock() -> None:
    [run] = next_runs(weekly("sun", zone="Europe/Berlin"), datetime(2026, 3, 28, tzinfo=UTC), 1)
    assert run == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)  # 03:30 in Berlin


def test_a_repeated_wall_time_runs_once_the_second_time() -> None:
    runs = next_runs(weekly("sun", zone="Europe/Berlin"), datetime(2026, 10, 24, tzinfo=UTC), 2)
    assert runs == [datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 11, 1, 1, 30, tzinfo=UTC)]


def test_what_ticks_every_half_hour_ticks_in_every_real_half_hour_around_clock_changes() -> None:
    half_hours = Schedule(cron="*/30 * * * *", time_zone="Europe/Berlin")
    for midnight in (datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)):
        assert next_runs(half_hours, midnight, 12) == [midnight + timedelta(minutes=30 * n) for n in range(1, 13)]


def test_the_moment_after_which_to_look_is_itself_no_next_run() -> None:
    tick = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
    assert next_runs(weekly("mon"), tick, 1) == [tick + timedelta(days=7)]
    assert next_runs(weekly("mon"), tick - timedelta(microseconds=1), 1) == [tick]


def test_a_schedule_counts_from_its_last_edit_rounded_up_to_a_whole_minute() -> None:
    changed = datetime(2026, 11, 23, 10, 0, 0, 1, tzinfo=UTC)
    assert start_of(None, changed) == datetime(2026, 11, 23, 10, 1, tzinfo=UTC)
    assert start_of(datetime(2026, 11, 23, 2, 30, tzinfo=UTC), changed) == datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
