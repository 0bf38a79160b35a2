"""An attempt that was stopped, and wakes up when another one has finished the run, changes nothing any more.

BULK_EXPORT_FAULTS=all stops it before each step instead of some.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attempts import Attempts
from workbench import Workbench, write_wav

from bulk_export import pipeline
from bulk_export.bag.verify import verify_run
from bulk_export.errors import LateAttemptError, TransientError
from bulk_export.runs.open_run import OpenRun
from bulk_export.stages.stage import load_run, recorded, stage
from bulk_export.state.database import transaction
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.reservations import usage
from bulk_export.state.tables import metadata
from bulk_export.storage.local import LocalStorage

pytestmark = pytest.mark.faults("at-once")

RUN_ID = "cli/run"
# More than a run of three contacts has; where it has fewer, nothing is stopped.
STEPS = 140
EVERY = 1 if os.environ.get("BULK_EXPORT_FAULTS") == "all" else 7


@pytest.fixture(scope="module")
def attempts() -> Iterator[Attempts]:
    started = Attempts()
    yield started
    started.end()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bench = Workbench(tmp_path_factory.mktemp("prepared") / "bench")
    bench.contacts([bench.call(1), bench.call(2, seconds=0.1), bench.call(3, audio_uri="media/later.wav")])
    bench.export(incremental=True, media={"audio_only": "mp3"})
    return bench.root


def everything(bench: Workbench, record: RunRecord) -> tuple[dict[str, tuple[bytes, int]], dict[str, list[Any]]]:
    """Every delivered file with its time, and every row of the state database but the events."""
    files = {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in bench.directory(record).rglob("*")
        if path.is_file()
    }
    with transaction(bench.site().engine, reading=True) as connection:
        tables = [table for table in metadata.sorted_tables if table.name != "events"]
        return files, {table.name: sorted(map(repr, connection.execute(table.select()))) for table in tables}


@pytest.mark.slow
@pytest.mark.parametrize("step", range(3, STEPS, EVERY))
def test_an_attempt_that_wakes_up_when_another_has_finished_changes_nothing(
    attempts: Attempts, prepared: Path, tmp_path: Path, step: int
) -> None:
    bench = Workbench.at(Path(shutil.copytree(prepared, tmp_path / "bench")))
    stopped = attempts.run_stopped(bench.root, RUN_ID, step)
    if stopped:
        write_wav(bench.root / "store/media/later.wav", 0.1)  # the second finds more than the first
        marked = [*(bench.root / "exports").rglob("tagmanifest-sha256.txt")]
        record = bench.run(run_id=RUN_ID)
        expected = RunStatus.COMPLETED_WITH_ERRORS if marked else RunStatus.COMPLETED
        assert record.status is expected, (record.error_code, record.error_message)
        before = everything(bench, record)

        attempts.wake()

        assert everything(bench, record) == before
    record = bench.site().reread(RUN_ID)
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()
    assert record.exported == usage(bench.site().engine, "acme", bench.now.date()).used
    assert [path for path in (bench.root / "staging").rglob("*") if path.is_file()] == []


@stage
def fails(run: OpenRun) -> None:
    """A stage that goes wrong after another attempt has finished the run."""
    pipeline.run_export(run.site, Workbench.at(run.site.definitions.parent).request(run_id=RUN_ID))
    raise TransientError("SCRATCH_FAILED", "its scratch files are gone")


def begun(bench: Workbench) -> OpenRun:
    bench.contacts([bench.call(1)])
    bench.export()
    pipeline.validate_filters(bench.site(), bench.request(run_id=RUN_ID))
    return load_run(bench.site(), RUN_ID)


def test_the_error_of_a_late_attempt_is_not_the_runs(bench: Workbench) -> None:
    run = begun(bench)

    with pytest.raises(LateAttemptError):
        fails(run.site, RUN_ID)

    record = run.site.reread(RUN_ID)
    assert (record.status, record.error_code) == (RunStatus.COMPLETED, "")


def test_a_late_attempt_neither_clears_an_error_nor_closes_the_run(bench: Workbench) -> None:
    late = begun(bench)
    pipeline.validate_filters(bench.site(), bench.request(run_id=RUN_ID))
    with pytest.raises(TransientError, match="no answer"), recorded(load_run(bench.site(), RUN_ID), "copy_media", 1):
        raise TransientError("STORAGE_UNREACHABLE", "no answer")

    with pytest.raises(LateAttemptError), recorded(late, "copy_media", 1):
        pass

    assert bench.site().reread(RUN_ID).error_code == "STORAGE_UNREACHABLE"


@pytest.mark.parametrize("cancelled", [True, False])
def test_a_run_that_ended_well_is_not_failed_by_who_stops_it_later(bench: Workbench, cancelled: bool) -> None:
    begun(bench)
    record = bench.run(run_id=RUN_ID)

    assert pipeline.write_audit(bench.site(), RUN_ID, ("copy_media",), cancelled=cancelled) == record


def test_two_attempts_of_one_run_have_scratch_files_of_their_own(bench: Workbench) -> None:
    begun(bench)
    first, second = (load_run(bench.site(), RUN_ID) for _ in range(2))

    assert first.scratch != second.scratch
    assert first.scratch.parent == second.scratch.parent
