"""Ending a local instance: everything it started, whatever became of its first process, and nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from local_airflow import processes
from local_airflow.guard import watch_over
from local_airflow.processes import Leader

MARK = "BULK_EXPORT_TEST_MARK"
# A first process with a child, and a grandchild that leaves the process group as Airflow's tasks do.
FAMILY = """
import os, subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(300)"]
subprocess.Popen(sleep)
subprocess.Popen(sleep, process_group=0)
print("ready", flush=True)
time.sleep(300)
"""


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Leader]:
    log = tmp_path / "log"
    leader = processes.start([sys.executable, "-c", FAMILY], {**os.environ, MARK: tmp_path.name}, log, MARK)
    deadline = time.monotonic() + 60
    while "ready" not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield leader
    processes.end(leader)


def test_everything_an_instance_started_is_ended(family: Leader) -> None:
    members = processes.members(family)
    assert len(members) == 3
    assert processes.end(family) == 3
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in members)
    assert processes.end(family) == 0


def test_orphans_are_ended_when_the_first_process_was_killed(family: Leader) -> None:
    os.kill(family.pid, signal.SIGKILL)
    os.waitpid(family.pid, 0)
    assert processes.end(family) == 2


def test_a_process_that_will_not_end_is_made_to(tmp_path: Path) -> None:
    ignore = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    deaf = ignore + "print('ready', flush=True); time.sleep(300)"
    leader = processes.start([sys.executable, "-c", deaf], {**os.environ, MARK: "deaf"}, tmp_path / "log", MARK)
    while "ready" not in (tmp_path / "log").read_text():
        time.sleep(0.05)
    assert processes.end(leader, grace_s=0.2) == 1
    assert not leader.alive()


def test_a_stranger_that_was_given_the_same_number_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
    try:
        started_at = psutil.Process(stranger.pid).create_time()
        stale = Leader(stranger.pid, started_at - 100, str(tmp_path), MARK, "gone")
        assert not stale.alive()
        assert processes.end(stale) == 0
        assert stranger.poll() is None
        assert replace(stale, started_at=started_at).alive()
    finally:
        stranger.kill()
        stranger.wait()


def test_an_instance_is_ended_when_the_process_that_wanted_it_is_killed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    environment = {**os.environ, MARK: "guarded"}
    leader = processes.start([sys.executable, "-c", "import time; time.sleep(300)"], environment, home / "log", MARK)
    record = {"leader": asdict(leader), "ports": {"api": 1, "worker_log": 2, "trigger_log": 3}}
    (home / "running.json").write_text(json.dumps(record))
    wanting = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"])
    guard = watch_over(home, wanting.pid)
    assert leader.alive()
    wanting.kill()
    wanting.wait()
    guard.wait(60)
    assert not leader.alive()
    assert not (home / "running.json").exists()
