"""Whatever the operating system answers, at whatever call: a code that says what to do, and a run that converges.

System calls fail below Python, so that DuckDB, pyarrow, SQLite and FFmpeg meet them too. A few numbers are walked here;
`make faults` walks all of them.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from errno_plan import EVERY_CALL, Failing, build, compiler, environment
from workbench import Workbench

from fault_report import InjectedFaults

pytestmark = [
    pytest.mark.slow,
    pytest.mark.faults("errno"),
    pytest.mark.skipif(sys.platform != "linux", reason="LD_PRELOAD and /proc are Linux's"),
    pytest.mark.skipif(compiler() is None, reason="cc (gcc, libc6-dev) is not installed: `make test-programs`"),
]

CONTACTS = 12
# Where a run reads and writes: text in the path, text that is not in it.
PLACES = {
    "catalogue": ("/store/contacts", ""),
    "media": ("/store/media", ""),
    "transcripts": ("/store/transcripts", ""),
    "staging": ("/staging", "/scratch"),
    "scratch": ("/scratch", ""),
    "destination": ("/exports", "/definitions"),
    "state": ("/state.db", ""),
    "definitions": ("/definitions", "/state.db"),
}
WHOLE_WALK = os.environ.get("BULK_EXPORT_FAULTS") == "all"
# What people meet: each of them at every operation, in the whole walk.
COMMON = (
    *(errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ESTALE),
    *(errno.EMFILE, errno.ENOMEM, errno.EFBIG, errno.ETIMEDOUT, errno.ENODEV, errno.EINVAL),
)
# Answered for ever, whoever is called would try for ever.
TRIED_AGAIN = {errno.EINTR, errno.EAGAIN}
# Which calls fail: all, the first, one in the middle.
CALLS = ((1, EVERY_CALL), (1, 1), (3, 3))


class Walker:
    """A process that runs exports while its system calls fail as it is told."""

    def __init__(self, folder: Path) -> None:
        bench = Workbench(folder / "template")
        bench.contacts(bench.call(number, seconds=0.1) for number in range(1, CONTACTS + 1))
        bench.export("copies", csv={"metadata_parquet": True})
        bench.export("conversions", media={"audio_only": "mp3"})
        (folder / "cases").mkdir()
        self._said, program = folder / "stderr", Path(__file__).with_name("errno_walk.py")
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, *map(str, (program, bench.root, folder / "cases", folder / "plan"))],
                env=environment(build(folder), folder / "plan"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )

    def walk(self, failing: Failing, export: str = "copies") -> dict[str, Any]:
        """What became of a run meanwhile, and of another one after it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        case = {"export": export, "contacts": CONTACTS, "failing": asdict(failing)}
        self._process.stdin.write(json.dumps(case) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, self._said.read_text()[-5_000:]
        found: dict[str, Any] = json.loads(line)
        return found

    def said(self) -> str:
        """What it, and the converters it started, have said beside their answers."""
        return self._said.read_text()

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walker]:
    walker = Walker(tmp_path_factory.mktemp("errno"))
    yield walker
    walker.close()


def failing(place: str, operation: str, number: int, first: int = 1, last: int = EVERY_CALL) -> Failing:
    path, excepted = PLACES[place]
    return Failing(operation, path, number, excepted, first, min(last, first + 2) if number in TRIED_AGAIN else last)


def cases(place: str, calls: dict[str, int]) -> Iterator[Failing]:
    """Where calls fail in a place of which these calls are known."""
    numbers = itertools.cycle((errno.EIO, errno.ENOSPC, errno.EROFS, errno.EMFILE))
    yield from (failing(place, operation, next(numbers)) for operation in calls)
    if not WHOLE_WALK:
        return
    # At another call, and the numbers that are met seldom at another operation too, than the case before.
    operations, positions = itertools.cycle(calls), itertools.cycle(CALLS)
    yield from (failing(place, *case, *next(positions)) for case in itertools.product(calls, COMMON))
    yield from (
        failing(place, next(operations), number, *next(positions)) for number in errno.errorcode if number not in COMMON
    )


@pytest.mark.timeout(7_200 if WHOLE_WALK else 600)
@pytest.mark.parametrize("place", PLACES)
def test_whatever_fails_has_a_code_and_a_run_after_it_converges(
    walker: Walker, place: str, injected_faults: InjectedFaults
) -> None:
    survey = walker.walk(failing(place, "open", 0))
    assert survey["wrong"] == [] and survey["exit"] == 0 and survey["calls"]

    found = [walker.walk(case) for case in cases(place, survey["calls"])]

    reached = [case for case in found if case["injected"]]
    wrong = [case for case in reached if case["wrong"]]
    injected_faults.add(len(reached), len(reached) - len(wrong))
    assert [(case["failing"], case["wrong"], case["answer"]) for case in wrong] == []
    assert len(reached) >= len(survey["calls"]) - 1  # a listing that ends before its third call reaches nothing
    assert "Traceback" not in walker.said()


def test_one_file_that_cannot_be_read_is_an_item_and_all_of_them_are_an_outage(walker: Walker) -> None:
    for place in ("media", "transcripts"):
        one = walker.walk(failing(place, "read", errno.EIO, 2, 2))
        all_of_them = walker.walk(failing(place, "read", errno.EIO))

        assert (one["wrong"], one["exit"]) == ([], 3)
        assert f"{place.rstrip('s').upper()}_CORRUPT" in one["answer"]
        assert (all_of_them["wrong"], all_of_them["exit"]) == ([], 1)
        assert "STORAGE_UNREACHABLE in " in all_of_them["answer"]
        assert "10 objects in a row" in all_of_them["answer"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)
@pytest.mark.parametrize(
    ("place", "code", "path"),
    [
        ("destination", "STORAGE_FULL", "/exports/"),
        ("staging", "SCRATCH_FULL", "/staging/"),
        ("scratch", "SCRATCH_FULL", "/scratch"),
    ],
)
def test_a_full_disk_is_named_with_its_path(walker: Walker, number: int, place: str, code: str, path: str) -> None:
    found = walker.walk(failing(place, "write", number, 2))

    assert (found["wrong"], found["exit"]) == ([], 1)
    assert f"{code} in " in found["answer"]
    assert path in found["answer"]


@pytest.mark.parametrize(
    ("place", "operation", "number", "exit_code", "word"),
    [
        ("media", "read", errno.EIO, 1, "STORAGE_UNREACHABLE"),
        ("media", "open", errno.EMFILE, 1, "MACHINE_EXHAUSTED"),
        ("scratch", "write", errno.ENOSPC, 1, "SCRATCH_FULL"),
    ],
)
def test_conversions_blame_what_failed(
    walker: Walker, place: str, operation: str, number: int, exit_code: int, word: str
) -> None:
    found = walker.walk(failing(place, operation, number), "conversions")

    assert (found["wrong"], found["exit"]) == ([], exit_code)
    assert word in found["answer"]
    assert "MEDIA_CORRUPT" not in found["answer"]
