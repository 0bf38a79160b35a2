"""A power cut takes or tears what was staged and not flushed: the run goes on, and delivers the same.

BULK_EXPORT_FAULTS=all damages each file in each way after each stage; else each file after each stage in one way.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from workbench import Workbench, files_of

from bulk_export import pipeline
from bulk_export.bag.verify import verify_run
from bulk_export.errors import TransientError
from bulk_export.runs.request import RunRequest
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.reservations import usage
from bulk_export.state.undelivered import list_undelivered
from bulk_export.storage.local import LocalStorage

pytestmark = pytest.mark.faults("power")

RUN_ID = "dag/run"
JOBS = (1, 2)


def select(bench: Workbench) -> None:
    pipeline.validate_filters(bench.site(), request_of(bench))
    pipeline.check_quota(bench.site(), RUN_ID)


def cut(bench: Workbench) -> None:
    pipeline.batch_contacts(bench.site(), RUN_ID)


def copy(bench: Workbench) -> None:
    for job in JOBS:
        pipeline.copy_media(bench.site(), RUN_ID, job)


def transcribe(bench: Workbench) -> None:
    for job in JOBS:
        pipeline.export_transcripts(bench.site(), RUN_ID, job)


def tabulate(bench: Workbench) -> None:
    pipeline.build_csv(bench.site(), RUN_ID)


def publish(bench: Workbench) -> None:
    pipeline.publish_manifest(bench.site(), RUN_ID)


STEPS: tuple[Callable[[Workbench], None], ...] = (select, cut, copy, transcribe, tabulate, publish)
# What each of them leaves.
STAGED = {
    select: ("keys.parquet", "fresh.parquet", "matched.json"),
    cut: ("share.json", "jobs/0001.parquet", "jobs/0002.parquet", "excluded.parquet"),
    copy: ("results/media/0001/part-*", "results/media/0002/part-*"),
    transcribe: ("results/transcripts/0001/part-*",),
    tabulate: ("csv.json",),
}


def request_of(bench: Workbench) -> RunRequest:
    return bench.request(run_id=RUN_ID, dag_id="dag", dag_run_id="run", parameters={"limit": 4})


def empty(path: Path) -> None:
    path.write_bytes(b"")


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def gone(path: Path) -> None:
    path.unlink()


def zeros(path: Path) -> None:
    """Its first half never reached the disk, its end did."""
    content = path.read_bytes()
    path.write_bytes(bytes(len(content) // 2) + content[len(content) // 2 :])


DAMAGES = (empty, half, gone, zeros)


def cases() -> list[Any]:
    ways, goings = cycle(DAMAGES), cycle((go_on, run_anew))
    every = os.environ.get("BULK_EXPORT_FAULTS") == "all"
    found = []
    for done in range(1, len(STEPS)):
        for name in [*(name for step in STEPS[:done] for name in STAGED[step]), "**/*"]:
            damages = DAMAGES if every or name == "**/*" else [next(ways)]
            found += [
                (done, name, damage, how)
                for damage in damages
                for how in ((go_on, run_anew) if every else [next(goings)])
            ]
    return found


def label(value: object) -> str:
    return STEPS[value - 1].__name__ if isinstance(value, int) else getattr(value, "__name__", str(value))


def go_on(bench: Workbench, done: int) -> RunRecord:
    """The tasks that follow, each tried again as Airflow does; what is cleared where that does not help."""
    for attempt in ("of the scheduler", "cleared"):
        first = done if attempt == "of the scheduler" else 2
        try:
            for step in STEPS[first:]:
                tried_again(step, bench)
            break
        except TransientError as error:
            assert (attempt, error.code) == ("of the scheduler", "ITEMS_INCOMPLETE")
    return pipeline.write_audit(bench.site(), RUN_ID)


def tried_again(step: Callable[[Workbench], None], bench: Workbench) -> None:
    try:
        step(bench)
    except TransientError:
        step(bench)


def run_anew(bench: Workbench, done: int) -> RunRecord:
    record = pipeline.run_export(bench.site(), request_of(bench))
    return record if record.published else pipeline.run_export(bench.site(), request_of(bench))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], dict[str, bytes]]:
    """The installation after each stage, and what it delivers undisturbed."""
    bench = Workbench(tmp_path_factory.mktemp("prepared") / "bench")
    bench.write_settings(licence={"type": "standard", "daily_contacts": 10, "job_contacts": 2})
    bench.contacts([*map(bench.call, range(1, 4)), bench.call(4, audio_uri="media/gone.wav"), *map(bench.call, (5, 6))])
    bench.export(incremental=True, csv={"metadata_parquet": True})
    bench.run(parameters={"limit": 1})  # which takes contact 1
    copies = []
    for number, step in enumerate(STEPS):
        step(bench)
        copies.append(Path(shutil.copytree(bench.root, bench.root.with_name(f"after-{number + 1}"))))
    record = pipeline.write_audit(bench.site(), RUN_ID)
    return copies, files_of(bench.directory(record))


@pytest.mark.slow
@pytest.mark.parametrize(("done", "name", "damage", "how"), cases(), ids=label)
def test_a_run_goes_on_whatever_of_its_staging_is_lost(
    prepared: tuple[list[Path], dict[str, bytes]],
    tmp_path: Path,
    done: int,
    name: str,
    damage: Callable[[Path], None],
    how: Callable[[Workbench, int], RunRecord],
) -> None:
    copies, expected = prepared
    bench = Workbench.at(Path(shutil.copytree(copies[done - 1], tmp_path / "bench")))
    run_key = bench.site().reread(RUN_ID).run_key
    damaged = [path for path in (bench.root / "staging" / run_key).glob(name) if path.is_file()]
    assert damaged
    for path in damaged:
        damage(path)

    record = how(bench, done)

    assert record.status is RunStatus.COMPLETED_WITH_ERRORS, (record.error_code, record.error_message)
    assert (record.matched, record.exported, record.jobs) == (6, 3, 2)
    assert record.by_status == {"delivered": 3, "masked": 0, "faulty": 1, "deferred": 1, "already_delivered": 1}
    assert files_of(bench.directory(record)) == expected
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()
    assert usage(bench.site().engine, "acme", bench.now.date()).used == 4
    assert list_undelivered(bench.site().engine, "nightly") == [4, 6]
    assert [path for path in (bench.root / "staging").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("damage", [empty, half, gone])
def test_a_run_that_is_closed_without_its_keys_remembers_what_it_owes(
    bench: Workbench, damage: Callable[[Path], None]
) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    bench.export(incremental=True)
    select(bench)
    for path in (bench.root / "staging").rglob("*.*"):
        damage(path)

    record = pipeline.write_audit(bench.site(), RUN_ID, ("batch_contacts",))

    assert record.status is RunStatus.FAILED
    assert list_undelivered(bench.site().engine, "nightly") == [1, 2]


@pytest.mark.parametrize("damage", [empty, half, gone])
def test_delivered_files_that_were_torn_together_with_their_results_are_delivered_again(
    bench: Workbench, damage: Callable[[Path], None]
) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    bench.export()
    bench.up_to_publishing(bench.request(run_id=RUN_ID))
    for path in [*(bench.root / "exports").rglob("data/**/*"), *(bench.root / "staging").rglob("results/**/*")]:
        if path.is_file():
            damage(path)

    record = bench.run(run_id=RUN_ID)

    assert (record.status, record.exported) == (RunStatus.COMPLETED, 2), (record.error_code, record.error_message)
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_rest_that_the_quota_did_not_reach_survives(bench: Workbench, damage: Callable[[Path], None]) -> None:
    bench.contacts(map(bench.call, range(1, 6)))
    bench.write_settings(licence={"type": "standard", "daily_contacts": 3})
    bench.export()
    bench.run(run_id=RUN_ID)
    [rest] = (bench.root / "staging/rest").iterdir()
    damage(rest)
    bench.now += timedelta(days=1)

    record = bench.run(continues_run_id=RUN_ID)
    if damage is zeros:  # noticed when it is read, and gone then
        assert record.error_code == "STAGING_LOST"
        record = bench.run(continues_run_id=RUN_ID)

    assert (record.status, record.exported) == (RunStatus.COMPLETED, 2), (record.error_code, record.error_message)
    assert set(bench.items(record)) == {4, 5}
    again = bench.run(continues_run_id=RUN_ID)
    assert again.error_code == "NOTHING_LEFT"
