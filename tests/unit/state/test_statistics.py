"""Figures over many runs: each run on its own calendar day, in the zone asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, update

from bulk_export.state.records import RunStatus
from bulk_export.state.runs import create_run, record_counts
from bulk_export.state.statistics import DayFigures, OpenRuns, daily_figures, known_exports, open_runs
from bulk_export.state.tables import runs

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def run(state: Engine, make_run: Any, name: str, at: datetime, status: str, **counts: int) -> None:
    create_run(state, make_run(f"export-weekly/{name}", queued_at=at), at)
    record_counts(state, f"export-weekly/{name}", **counts)
    with state.begin() as connection:
        connection.execute(update(runs).where(runs.c.run_id == f"export-weekly/{name}").values(status=status))


def test_a_run_counts_on_its_local_day_and_days_without_runs_are_there(state: Engine, make_run: Any) -> None:
    # 04:59 UTC is still the evening before in Bogota.
    late, early = datetime(2026, 11, 22, 4, 59, tzinfo=UTC), datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
    run(state, make_run, "a", late, "COMPLETED", exported=5, media_bytes=100, transcript_bytes=11)
    run(state, make_run, "b", early, "COMPLETED", exported=7, media_bytes=1)
    run(state, make_run, "c", early, "FAILED")
    run(state, make_run, "d", datetime(2026, 11, 20, 4, 0, tzinfo=UTC), "COMPLETED", exported=1_000)
    assert daily_figures(state, last=date(2026, 11, 22), days=3, zone="America/Bogota") == [
        DayFigures(date(2026, 11, 20), 0, 0, {}),
        DayFigures(date(2026, 11, 21), 5, 111, {RunStatus.COMPLETED: 1}),
        DayFigures(date(2026, 11, 22), 7, 1, {RunStatus.COMPLETED: 1, RunStatus.FAILED: 1}),
    ]


def test_exports_are_known_by_the_name_of_their_latest_run(state: Engine, make_run: Any) -> None:
    for day, id, name in ((1, "weekly", "Old name"), (2, "weekly", "New name"), (3, "legal", "Another")):
        at = datetime(2026, 11, day, tzinfo=UTC)
        create_run(state, make_run(f"x/{day}", export_id=id, export_name=name, queued_at=at), at)
    assert list(known_exports(state).items()) == [("legal", "Another"), ("weekly", "New name")]


def test_open_runs_are_counted_with_the_oldest_of_them(state: Engine, make_run) -> None:
    assert open_runs(state, long_before=NOON) == OpenRuns(0, 0, None, None)
    first = create_run(state, make_run("export-weekly/first", queued_at=NOON - timedelta(days=2)), NOON)
    create_run(state, make_run("export-weekly/second", queued_at=NOON), NOON, start=False)
    found = open_runs(state, long_before=NOON - timedelta(days=1))
    assert found == OpenRuns(2, 1, NOON - timedelta(days=2), first.run_key)
