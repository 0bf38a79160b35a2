"""Disks that fill up under a run or cannot be written: a code with the path; with room again, everything is there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from workbench import Workbench, write_wav

from bulk_export.bag.verify import verify_run
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.storage.local import LocalStorage

pytestmark = [pytest.mark.slow, pytest.mark.faults("disk")]

Mount = Callable[[Path, str], None]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts file systems of memory, where that is allowed: as root on Linux."""
    with ExitStack() as mounted:

        def act(place: Path, options: str) -> None:
            place.mkdir(parents=True, exist_ok=True)
            command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
            done = subprocess.run(command, capture_output=True, text=True, check=False) if may_mount() else None
            if done is None or done.returncode != 0:
                pytest.skip("nothing can be mounted here: it takes root on Linux")
            mounted.callback(subprocess.run, ["umount", str(place)], check=True)

        yield act


def may_mount() -> bool:
    return sys.platform == "linux" and os.getuid() == 0


@contextmanager
def filled(place: Path, free_bytes: int) -> Iterator[None]:
    """A file system with so much room left, and with room again afterwards."""
    ballast = place / ".ballast"
    size = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize - free_bytes
    with ballast.open("wb") as out:
        os.posix_fallocate(out.fileno(), 0, max(1, size))
    yield
    ballast.unlink()


@pytest.fixture
def calls(bench: Workbench) -> Workbench:
    bench.contacts(bench.call(number, seconds=0.1) for number in range(1, 6))
    for number in range(1, 6):
        write_wav(bench.root / f"store/media/{number}.wav", 6)
    bench.export()
    bench.export("conversions", media={"audio_only": "mp3"})
    return bench


def assert_whole(bench: Workbench, record: RunRecord) -> None:
    assert (record.status, record.exported) == (RunStatus.COMPLETED, 5)
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()


@pytest.mark.parametrize("free_bytes", [4_096, 100_000, 400_000])
@pytest.mark.parametrize(("place", "code"), [("exports", "STORAGE_FULL"), ("staging", "SCRATCH_FULL")])
def test_a_disk_that_fills_up_is_named_and_with_room_again_the_run_goes_on(
    calls: Workbench, mount: Mount, place: str, code: str, free_bytes: int
) -> None:
    mount(calls.root / place, "size=8m")

    with filled(calls.root / place, free_bytes):
        full = calls.run(run_id="dag/full")

    if full.status is not RunStatus.COMPLETED:
        assert full.error_code == code
        assert str(calls.root / place) in full.error_message
        assert full.error_hint
    assert_whole(calls, calls.run(run_id="dag/full"))


def test_scratch_that_is_full_is_no_fault_of_what_is_converted(calls: Workbench, mount: Mount) -> None:
    mount(calls.root / "staging", "size=8m")

    with filled(calls.root / "staging", 60_000):  # enough for what the run knows, and not for an MP3 beside it
        full = calls.run("conversions", run_id="dag/full")

    assert (full.status, full.error_code) == (RunStatus.FAILED, "SCRATCH_FULL")
    assert_whole(calls, calls.run("conversions", run_id="dag/full"))


@pytest.mark.parametrize(
    ("place", "code"), [("exports", "STORAGE_DENIED"), ("staging", "SCRATCH_FAILED"), ("state", "STATE_UNREACHABLE")]
)
def test_a_disk_that_is_read_only_is_named_and_once_writable_the_run_goes_on(
    calls: Workbench, mount: Mount, place: str, code: str
) -> None:
    calls.write_settings(state={"url": "sqlite:///../state/state.db"})
    mount(calls.root / place, "size=8m")
    calls.run()
    subprocess.run(["mount", "-o", "remount,ro", str(calls.root / place)], check=True)
    command = [sys.executable, "-m", "bulk_export.cli", "--definitions", str(calls.definitions), "run", "nightly"]

    refused = subprocess.run(command, capture_output=True, text=True, check=False)

    assert refused.returncode == 1
    assert code in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
    subprocess.run(["mount", "-o", "remount,rw", str(calls.root / place)], check=True)
    assert_whole(calls, calls.run())
