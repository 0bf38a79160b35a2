from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from bulk_export.state.progress import JobProgress, StageProgress, list_progress, record_progress, stage_progress
from bulk_export.state.runs import create_run

T0 = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


def test_progress_of_a_job_is_its_latest_figure(state: Engine, make_run) -> None:
    run_id = create_run(state, make_run(), T0).run_id
    later = T0 + timedelta(seconds=5)
    record_progress(state, run_id, "copy_media", 2, done=0, total=10, bytes=0, now=T0)
    record_progress(state, run_id, "copy_media", 1, done=5, total=10, bytes=2**33, now=T0)
    record_progress(state, run_id, "copy_media", 2, done=7, total=10, bytes=70, now=later)
    assert list_progress(state, run_id) == [
        JobProgress("copy_media", 1, 5, 10, 2**33, T0),
        JobProgress("copy_media", 2, 7, 10, 70, later),
    ]


def test_progress_of_a_page_of_runs_is_summed_per_stage(state: Engine, make_run) -> None:
    for run_id in ("a", "b"):
        create_run(state, make_run(run_id), T0)
    for job in (1, 2):
        record_progress(state, "a", "copy_media", job, done=job, total=10, bytes=2**33, now=T0)
    record_progress(state, "a", "build_csv", 0, done=20, total=20, bytes=400, now=T0)
    found = stage_progress(state, ["a", "b"])
    assert found == {
        "a": (StageProgress("build_csv", 20, 20, 400), StageProgress("copy_media", 3, 20, 2**34)),
        "b": (),
    }
    assert all(type(stage.bytes) is int for stage in found["a"])
