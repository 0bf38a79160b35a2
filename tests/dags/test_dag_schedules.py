"""Schedules as Airflow's scheduler computes them from the serialised DAGs, held against `definitions.schedules`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.definitions.models import WEEKDAYS, Schedule
from bulk_export.definitions.schedules import next_runs

if TYPE_CHECKING:
    from conftest import Parse

ZONES = ["UTC", "America/Bogota", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
WEEKLY = st.builds(
    lambda days, time: {"weekly": {"days": days, "time": time}}, st.lists(st.sampled_from(WEEKDAYS), min_size=1), TIMES
)
MONTHLY = st.builds(lambda day, time: {"monthly": {"day": day, "time": time}}, st.integers(1, 31), TIMES)
CRON = st.sampled_from(["*/30 * * * *", "0 * * * *", "0 6 * * 1#1", "30 2 * * *", "15 1-3 * * 0", "0 0 L * *"]).map(
    lambda cron: {"cron": cron}
)
SCHEDULES = st.builds(
    lambda kind, zone: Schedule.model_validate(kind | {"time_zone": zone}),
    WEEKLY | MONTHLY | CRON,
    st.sampled_from(ZONES),
)
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))


@given(SCHEDULES, MOMENTS)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_the_next_runs_are_those_of_airflows_timetable(schedule: Schedule, after: datetime) -> None:
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import DataInterval, TimeRestriction
    from pendulum import instance

    from bulk_export_airflow.dag import timetable

    runs = next_runs(schedule, after, 15)
    scheduler = coerce_to_core_timetable(timetable(schedule))
    every_tick = TimeRestriction(earliest=None, latest=None, catchup=True)
    for run, following in pairwise(runs):
        last = DataInterval.exact(instance(run))
        info = scheduler.next_dagrun_info(last_automated_data_interval=last, restriction=every_tick)
        assert info.run_after == following


TICK = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)  # Monday 02:30 in Bogota
THURSDAY = TICK + timedelta(days=3)


def next_run(
    parse: Parse, monkeypatch: pytest.MonkeyPatch, now: datetime, last_run: datetime | None = None
) -> datetime:
    """When the scheduler would start export-weekly-detractors next, seen at `now`."""
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import DagRunInfo
    from pendulum import instance

    monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda: instance(now))
    dag: Any = DagSerialization.from_dict(DagSerialization.to_dict(parse().dags["export-weekly-detractors"]))
    last = DagRunInfo.exact(instance(last_run)) if last_run else None
    found: datetime = dag.next_dagrun_info(last_automated_run_info=last).run_after
    return found


def created(definitions: Path, at: datetime) -> None:
    path = definitions / "exports/weekly-detractors.yaml"
    path.write_text(f"{path.read_text()}effective_from: {at.isoformat()}\n")


def test_a_first_run_that_falls_before_the_next_refresh_starts_late_instead_of_never(
    parse: Parse, definitions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created(definitions, TICK - timedelta(seconds=10))
    assert next_run(parse, monkeypatch, now=TICK + timedelta(seconds=25)) == TICK


def test_a_run_from_before_the_creation_never_starts(
    parse: Parse, definitions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created(definitions, TICK + timedelta(seconds=10))
    assert next_run(parse, monkeypatch, now=TICK + timedelta(seconds=45)) == THURSDAY


def test_a_schedule_edit_starts_no_tick_of_the_new_schedule_from_before_the_edit(
    parse: Parse, definitions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created(definitions, TICK + timedelta(hours=1))
    last_run = TICK - timedelta(days=5)
    assert next_run(parse, monkeypatch, now=TICK + timedelta(hours=2), last_run=last_run) == THURSDAY


def test_a_tick_missed_while_airflow_was_down_runs_once_when_it_is_back(
    parse: Parse, definitions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created(definitions, TICK - timedelta(days=60))
    last_run = TICK - timedelta(days=14)
    assert next_run(parse, monkeypatch, now=TICK + timedelta(hours=5), last_run=last_run) == TICK


def test_without_effective_from_no_tick_from_before_the_file_came_ever_runs(
    parse: Parse, definitions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither at the first parse nor after an edit; the file of this test came just now."""
    came = datetime.now(UTC)
    for last_run in (None, came - timedelta(days=400)):
        assert next_run(parse, monkeypatch, now=came + timedelta(minutes=1), last_run=last_run) > came
