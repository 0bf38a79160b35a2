"""Killed at any write, a run taken up again converges: same bytes, right quota and audit, nothing left over."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from workbench import Workbench, files_of

from bulk_export.bag.verify import verify_run
from bulk_export.state.records import RunStatus
from bulk_export.state.reservations import usage
from bulk_export.storage.local import LocalStorage

pytestmark = pytest.mark.slow

RUN_ID = "dag/run"
# Enough for the run below to write no more: a higher number ends undisturbed, which the last case shows.
WRITES = 25


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """An installation that has not run yet, and what an undisturbed run of a copy of it delivers."""
    root = tmp_path_factory.mktemp("prepared")
    bench = Workbench(root / "bench")
    bench.write_settings(licence={"type": "performance", "job_contacts": 2})
    bench.contacts(
        [*(bench.call(n, seconds=0.1) for n in range(1, 4)), bench.call(4, audio_uri="media/gone.wav", recycled=False)]
    )
    bench.export(media={"audio_only": "mp3"})
    shutil.copytree(root / "bench", root / "undisturbed")
    undisturbed = Workbench.at(root / "undisturbed")
    return root / "bench", files_of(undisturbed.directory(undisturbed.run(run_id=RUN_ID)))


def start(root: Path, fatal_write: int) -> subprocess.CompletedProcess[str]:
    program = Path(__file__).with_name("killed_run.py")
    return subprocess.run(
        [sys.executable, str(program), str(root), RUN_ID, str(fatal_write)], capture_output=True, text=True, check=False
    )


@pytest.mark.faults("kill")
@pytest.mark.parametrize("fatal_write", range(1, WRITES + 1, 2))
def test_a_run_killed_at_a_write_is_never_half_and_converges(
    prepared: tuple[Path, dict[str, bytes]], tmp_path: Path, fatal_write: int
) -> None:
    template, expected = prepared
    root = shutil.copytree(template, tmp_path / "bench")
    bench = Workbench.at(root)

    done = start(root, fatal_write)

    if done.returncode != -signal.SIGKILL:
        assert done.returncode == 0, done.stderr
        assert int(done.stdout.splitlines()[-1]) < fatal_write
    finished = list((root / "exports").rglob("tagmanifest-sha256.txt"))
    for marker in finished:  # whatever the moment: a directory with a marker is whole
        assert verify_run(LocalStorage(marker.parent)).faults == ()

    record = bench.run(run_id=RUN_ID)

    assert record.status is RunStatus.COMPLETED_WITH_ERRORS
    assert (record.matched, record.exported, record.by_reason) == (4, 3, {"MEDIA_MISSING": 1})
    assert usage(bench.site().engine, "acme", bench.now.date()).used == 3
    assert files_of(bench.directory(record)) == expected
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()
    leftovers = [path.name for path in root.rglob(".part-*")]
    assert leftovers == []
    assert [path for path in (root / "staging").rglob("*") if path.is_file()] == []


def test_the_writes_above_cover_the_whole_run(prepared: tuple[Path, dict[str, bytes]], tmp_path: Path) -> None:
    root = shutil.copytree(prepared[0], tmp_path / "bench")

    done = start(root, 10_000)

    assert WRITES - 2 <= int(done.stdout.splitlines()[-1]) <= WRITES + 2
