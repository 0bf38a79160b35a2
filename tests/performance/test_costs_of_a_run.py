"""What a run may cost, as counts: seconds differ from machine to machine, these do not.

Requests and bytes per file of a bucket are counted in `tests/storage/test_requests.py`.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from counting import Counted, CountRun
from workbench import Workbench

pytestmark = pytest.mark.slow

FILE_BYTES = 300_000


def calls(bench: Workbench, count: int) -> Workbench:
    """An installation of so many calls, exported as they are stored."""
    bench.contacts([bench.call(number, seconds=0.01) for number in range(1, count + 1)])
    bench.export()
    return bench


def grown(path: Path) -> None:
    """Make a recording of FILE_BYTES, none like the other."""
    header = bytearray(path.read_bytes()[:44])
    header[4:8], header[40:44] = ((FILE_BYTES + extra).to_bytes(4, "little") for extra in (36, 0))
    path.write_bytes(bytes(header) + os.urandom(FILE_BYTES))


def test_a_file_is_opened_once_and_a_byte_read_once_and_written_once(bench: Workbench, count_run: CountRun) -> None:
    numbers = range(1, 21)
    calls(bench, len(numbers))
    for number in numbers:
        grown(bench.root / f"store/media/{number}.wav")

    counted = count_run(bench)

    stored = {path: times for path, times in counted.opened.items() if path.startswith(("store/media", "store/tran"))}
    assert stored == {
        **{f"store/media/{number}.wav": 1 for number in numbers},
        **{f"store/transcripts/{number}.json": 1 for number in numbers},
    }
    # What is delivered was hashed while it was written: nobody reads it again.
    assert [path for path in counted.opened if path.startswith("exports/") and "/data/" in path] == []
    media, slack = len(numbers) * FILE_BYTES, 3_000_000  # catalogue, database, staging, tables
    assert media <= counted.read < media + slack
    assert media <= counted.written < media + slack


def test_copies_start_no_process_and_conversions_one_per_worker_whatever_their_number(
    bench: Workbench, count_run: CountRun
) -> None:
    assert count_run(calls(bench, 6)).processes == 0
    bench.export(media={"audio_only": "mp3"})
    assert 1 <= count_run(bench).processes <= 2


def test_the_state_database_is_asked_per_job_and_not_per_contact(tmp_path: Path, count_run: CountRun) -> None:
    def with_jobs(jobs: int, job_contacts: int) -> Counted:
        made = Workbench(tmp_path / f"{jobs}-{job_contacts}")
        made.write_settings(licence={"type": "performance", "job_contacts": job_contacts})
        return count_run(calls(made, jobs * job_contacts))

    few, many, jobs = with_jobs(1, 4), with_jobs(1, 60), with_jobs(4, 4)

    assert (few.exported, many.exported, jobs.exported) == (4, 60, 16)
    # A hundred of them see that no other attempt has taken over; while files are written, one a second.
    assert few.statements <= 210
    assert many.statements < few.statements + 30
    assert many.listed == few.listed
    assert (jobs.statements - few.statements) / 3 <= 46
    assert (jobs.listed - few.listed) / 3 <= 20
