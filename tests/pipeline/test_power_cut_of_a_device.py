"""A power cut, as a file system sees it: the device is copied while a run is at work, and the copy is mounted.

Everything is on one ext4 of its own: what was not flushed is not on the copy. BULK_EXPORT_FAULTS=all cuts before each
step instead of some.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from attempts import Attempts
from workbench import Workbench, files_of

from bulk_export.bag.verify import verify_run
from bulk_export.state.records import RunStatus
from bulk_export.state.reservations import usage
from bulk_export.storage.local import LocalStorage

pytestmark = [pytest.mark.slow, pytest.mark.faults("power")]

RUN_ID = "cli/run"
STEPS = 140
EVERY = 1 if os.environ.get("BULK_EXPORT_FAULTS") == "all" else 12
_SIZE = 48 * 1024 * 1024


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    """A device image, mounted; skips where that is impossible."""
    at.mkdir()
    done = subprocess.run(["mount", "-o", "loop", str(image), str(at)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mount -o loop is impossible here: {done.stderr.strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ext4 with an installation on it that has not run yet."""
    if shutil.which("mkfs.ext4") is None or shutil.which("mount") is None:
        pytest.skip("mkfs.ext4 and mount are not installed")
    folder = tmp_path_factory.mktemp("device")
    made = folder / "image"
    with made.open("wb") as out:
        out.truncate(_SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(made)], check=True)
    with mounted(made, folder / "mounted") as root:
        bench = Workbench(root / "bench")
        bench.write_settings(licence={"type": "standard", "daily_contacts": 3, "job_contacts": 2})
        bench.contacts([*map(bench.call, (1, 2, 4)), bench.call(3, audio_uri="media/gone.wav")])
        bench.export()
    return made


@pytest.fixture(scope="module")
def expected(image: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What an undisturbed run delivers."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with mounted(Path(shutil.copy(image, folder / "image")), folder / "mounted") as root:
        bench = Workbench.at(root / "bench")
        return files_of(bench.directory(bench.run(run_id=RUN_ID)))


@pytest.fixture(scope="module")
def attempts() -> Iterator[Attempts]:
    started = Attempts()
    yield started
    started.end()


@pytest.mark.parametrize("step", range(5, STEPS, EVERY))
def test_a_run_goes_on_with_what_a_power_cut_has_left(
    image: Path, expected: dict[str, bytes], attempts: Attempts, tmp_path: Path, step: int
) -> None:
    shutil.copy(image, tmp_path / "device")
    with mounted(tmp_path / "device", tmp_path / "before") as root:
        stopped = attempts.run_stopped(root / "bench", RUN_ID, step)
        shutil.copy(tmp_path / "device", tmp_path / "after-the-cut")
        if stopped:
            attempts.kill()
    with mounted(tmp_path / "after-the-cut", tmp_path / "after") as root:
        bench = Workbench.at(root / "bench")
        finished = [marker.parent for marker in (root / "bench/exports").rglob("tagmanifest-sha256.txt")]

        record = bench.run(run_id=RUN_ID)

        assert record.status is RunStatus.COMPLETED_WITH_ERRORS, (record.error_code, record.error_message)
        assert (record.matched, record.exported, usage(bench.site().engine, "acme", bench.now.date()).used) == (4, 2, 2)
        assert files_of(bench.directory(record)) == expected
        assert verify_run(LocalStorage(bench.directory(record))).faults == ()
        assert stopped or finished == [bench.directory(record)]  # what is recorded as published is on the disk
        bench.now += timedelta(days=1)
        continued = bench.run(continues_run_id=RUN_ID)
        assert (continued.status, continued.exported) == (RunStatus.COMPLETED, 1)
        assert set(bench.items(continued)) == {4}
