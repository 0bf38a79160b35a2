"""A run of the command line that is stopped, killed or started twice leaves nothing open, held or delivered twice."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from workbench import Workbench

from bulk_export.bag.verify import verify_run
from bulk_export.cli import main
from bulk_export.errors import RefusedError
from bulk_export.maintenance import abandoned_runs
from bulk_export.pipeline import run_export, validate_filters
from bulk_export.process import Process, has_ended, this_process
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.reservations import usage
from bulk_export.state.runs import find_run, list_runs
from bulk_export.storage.local import LocalStorage
from waiting import until

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("stalled_cli.py")
AFTER_QUOTA = 4  # the write at which a run has its quota, and has delivered nothing
_ENDS_S = 120


@pytest.fixture
def ready(bench: Workbench) -> Workbench:
    bench.contacts([bench.call(n, seconds=0.1) for n in range(1, 4)])
    bench.export()
    return bench


@contextmanager
def stalled(bench: Workbench, *arguments: str, prefix: Sequence[str] = ()) -> Iterator[subprocess.Popen[str]]:
    """A command that has stopped in the middle of its work."""
    command = [*prefix, sys.executable, str(PROGRAM), str(AFTER_QUOTA), str(bench.root / "go")]
    command += ["--definitions", str(bench.definitions), *arguments]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    try:
        assert "stalled" in (line.strip() for line in process.stderr), "it ended before"
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.communicate()


def only_run(bench: Workbench) -> RunRecord:
    [record] = list_runs(bench.site().engine)
    return record


def used(bench: Workbench, record: RunRecord) -> int:
    assert record.quota_day is not None
    return usage(bench.site().engine, "acme", record.quota_day).used


def bulk_export(bench: Workbench, *arguments: str) -> int:
    return main(["--definitions", str(bench.definitions), *arguments])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_closes_the_record_and_gives_the_quota_back(ready: Workbench, number: signal.Signals) -> None:
    with stalled(ready, "run", "nightly") as process:
        assert used(ready, only_run(ready)) == 3
        process.send_signal(number)
        out, _ = process.communicate(timeout=_ENDS_S)
    record = only_run(ready)
    assert process.returncode == 1
    assert (record.status, record.error_code, used(ready, record)) == (RunStatus.CANCELLED, "INTERRUPTED", 0)
    assert "was stopped by " in out
    assert f"bulk-export run nightly --resume {record.run_key}" in out

    assert bulk_export(ready, "run", "nightly", "--resume", record.run_key) == 0
    again = only_run(ready)
    assert (again.run_id, again.status, used(ready, again)) == (record.run_id, RunStatus.COMPLETED, 3)
    assert verify_run(LocalStorage(ready.directory(again))).ok


def test_a_run_that_outlives_its_terminal_goes_on(ready: Workbench) -> None:
    with stalled(ready, "run", "nightly", prefix=["nohup"]) as process:
        process.send_signal(signal.SIGHUP)
        (ready.root / "go").touch()
        process.communicate(timeout=_ENDS_S)
    assert process.returncode == 0
    assert only_run(ready).status is RunStatus.COMPLETED


@pytest.mark.parametrize("closed_by", ["audit list", "audit close", "audit close RUN", "run --resume"])
def test_a_killed_run_is_closed_by_the_next_command_and_goes_on(
    ready: Workbench, capsys: pytest.CaptureFixture[str], closed_by: str
) -> None:
    with stalled(ready, "run", "nightly") as process:
        record = only_run(ready)
        assert bulk_export(ready, "audit", "close", record.run_key) == 1
        assert f"process {process.pid} on " in capsys.readouterr().err
        assert bulk_export(ready, "run", "nightly", "--resume", record.run_key) == 1
        assert "RUN_ACTIVE" in capsys.readouterr().err
        assert bulk_export(ready, "audit", "list") == 0
        assert only_run(ready).status is RunStatus.RUNNING
        process.kill()
        process.wait(_ENDS_S)

    command = closed_by.replace("RUN", record.run_key).split()
    if command[0] == "audit":
        assert bulk_export(ready, *command) == 0
        closed = only_run(ready)
        assert (closed.status, closed.error_code, used(ready, closed)) == (RunStatus.FAILED, "INTERRUPTED", 0)
    assert bulk_export(ready, "run", "nightly", "--resume", record.run_id, "--json") == 0
    shown = json.loads(capsys.readouterr().out.partition("{")[2].join(["{", ""]))
    assert (shown["run_id"], shown["status"], shown["process"]["pid"]) == (record.run_id, "COMPLETED", os.getpid())
    assert used(ready, only_run(ready)) == 3
    assert verify_run(LocalStorage(ready.directory(only_run(ready)))).ok


def test_only_a_run_of_the_command_line_is_resumed_and_with_nothing_else(
    ready: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    site = ready.site()
    record = run_export(site, replace(ready.request(run_id="dag/run"), dag_id="export-nightly", dag_run_id="run"))
    for arguments, words in (
        (["nightly", "--resume", record.run_key], "clear its tasks in Airflow"),
        (["nightly", "--resume", record.run_key, "--limit", "1"], "takes no other parameter"),
        (["weekly", "--resume", record.run_key], "is one of the export 'nightly'"),
    ):
        assert bulk_export(ready, "run", *arguments) == 2
        assert words in capsys.readouterr().err


def test_a_run_of_another_machine_is_closed_only_by_force_or_long_silence(
    ready: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = replace(this_process(), host="another.acme.example")
    request = replace(ready.request(run_id="cli/elsewhere"), process=elsewhere.as_text())
    validate_filters(ready.site(), request)
    assert bulk_export(ready, "audit", "close", request.run_id) == 1
    assert "which cannot be seen here" in capsys.readouterr().err
    assert bulk_export(ready, "audit", "close") == 0
    assert abandoned_runs(ready.site(), lambda *_: True) == []
    assert only_run(ready).status is RunStatus.RUNNING
    assert bulk_export(ready, "audit", "close", request.run_id, "--force") == 0
    assert only_run(ready).status is RunStatus.FAILED


def test_a_process_is_known_by_more_than_its_number() -> None:
    here = this_process()
    assert has_ended(here) is False
    assert has_ended(replace(here, started="1")) is True
    assert has_ended(replace(here, boot="another")) is True
    assert has_ended(replace(here, host="another")) is None
    assert has_ended(replace(here, namespace="another")) is None
    ended = subprocess.Popen([sys.executable, "-c", ""])
    until("it is a zombie, or gone", lambda: has_ended(replace(here, pid=ended.pid)), _ENDS_S)
    ended.wait(_ENDS_S)
    assert has_ended(replace(here, pid=ended.pid)) is True
    assert str(Process("acme", "", "", 7, "")) == "process 7 on acme"


def test_a_second_run_of_an_incremental_export_is_refused_while_one_is_under_way(
    ready: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.export(incremental=True)
    ready.export("other", incremental=True)
    with stalled(ready, "run", "nightly") as process:
        first = only_run(ready)
        assert bulk_export(ready, "run", "nightly") == 1
        shown = capsys.readouterr()
        assert f"is being run already: run {first.run_key}, started by" in shown.out + shown.err
        in_airflow = replace(ready.request(run_id="dag/2"), dag_id="export-nightly", dag_run_id="2")
        with pytest.raises(RefusedError, match="RUN_ACTIVE"):
            validate_filters(ready.site(), in_airflow)
        assert find_run(ready.site().engine, "dag/2").error_code == "RUN_ACTIVE"
        assert bulk_export(ready, "run", "nightly", "--dry-run") == 0
        assert bulk_export(ready, "run", "other") == 0
        process.kill()
        process.wait(_ENDS_S)
    # A killed one excludes nobody: the next command closes it.
    assert bulk_export(ready, "run", "nightly") == 0
    assert bulk_export(ready, "run", "nightly", "--resume", first.run_key) == 2
    assert "NOTHING_LEFT" in capsys.readouterr().out
    assert delivered(ready, "nightly") == Counter({1: 1, 2: 1, 3: 1})


def test_a_failed_run_is_not_taken_up_again_beside_another(ready: Workbench) -> None:
    ready.export(incremental=True)
    with stalled(ready, "run", "nightly") as process:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=_ENDS_S)
    first = only_run(ready)
    with stalled(ready, "run", "nightly"):
        assert bulk_export(ready, "run", "nightly", "--resume", first.run_key) == 1
        assert find_run(ready.site().engine, first.run_id).error_code == "RUN_ACTIVE"


def test_of_many_runs_that_start_at_once_none_delivers_what_another_has(ready: Workbench) -> None:
    ready.export(incremental=True)
    command = [sys.executable, "-m", "bulk_export.cli", "--definitions", str(ready.definitions), "run", "nightly"]
    many = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(6)]
    codes = [process.wait(_ENDS_S * 5) for process in many]
    assert 0 in codes
    assert set(codes) <= {0, 1}
    records = list_runs(ready.site().engine)
    assert {record.error_code for record in records if record.status is RunStatus.FAILED} <= {"RUN_ACTIVE"}
    assert delivered(ready, "nightly") == Counter({1: 1, 2: 1, 3: 1})


def delivered(bench: Workbench, export_id: str) -> Counter[int]:
    """How often each contact is in a finished directory of an export."""
    found: Counter[int] = Counter()
    for record in list_runs(bench.site().engine):
        if record.export_id == export_id and record.published:
            with (bench.directory(record) / "data/contacts.csv").open(encoding="utf-8-sig", newline="") as stream:
                found.update(int(row["Contact ID"]) for row in csv.DictReader(stream))
    return found
