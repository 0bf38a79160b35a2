"""Start a program in its own session; end all it started.

A process belongs to an instance when it is in the session that the program was started in, or carries the instance's
mark in its environment (which programs that set their own title overwrite). Pids are reused, so a number alone proves
nothing: start times have to fit, and once the first process is gone, the working directory too.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

GRACE_S = 25.0


@dataclass(frozen=True, slots=True)
class Leader:
    """The first process of an instance: leader of its session.

    Attributes:
        pid: process id, and the session's.
        started_at: when it started, in seconds since 1970, as the system says.
        directory: working directory, which the others inherit.
        mark_name: environment variable that its processes carry.
        mark: value of that variable, unlike any other's.
    """

    pid: int
    started_at: float
    directory: str
    mark_name: str
    mark: str

    def alive(self) -> bool:
        """Whether the very same process still runs."""
        with suppress(psutil.Error):
            return self._is(psutil.Process(self.pid))
        return False

    def _is(self, process: psutil.Process) -> bool:
        return abs(process.create_time() - self.started_at) < 1 and process.status() != psutil.STATUS_ZOMBIE


def start(command: Sequence[str], environment: Mapping[str, str], log: Path, mark_name: str) -> Leader:
    """Start a program that outlives the caller, output in a file."""
    directory = log.parent.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=directory,
        )
    started_at = psutil.Process(process.pid).create_time()
    return Leader(process.pid, started_at, str(directory), mark_name, environment[mark_name])


def members(leader: Leader) -> list[psutil.Process]:
    """Every live process of an instance, also when its leader is gone."""
    alive = leader.alive()
    return [process for process in psutil.process_iter() if _belongs(process, leader, alive)]


def _belongs(process: psutil.Process, leader: Leader, leader_alive: bool) -> bool:
    if process.pid == os.getpid():
        return False
    with suppress(psutil.Error, ProcessLookupError, PermissionError):
        if process.status() == psutil.STATUS_ZOMBIE or process.create_time() < leader.started_at - 1:
            return False
        in_session = os.getsid(process.pid) == leader.pid
        if in_session and (leader_alive or process.cwd() == leader.directory):
            return True
        return process.environ().get(leader.mark_name) == leader.mark
    return False


def end(leader: Leader, grace_s: float = GRACE_S) -> int:
    """End every process of an instance, by force after `grace_s`.

    Returns:
        How many there were.

    Raises:
        RuntimeError: something still runs, which happens only to processes stuck in the kernel.
    """
    found = members(leader)
    for process in found:
        with suppress(psutil.Error):
            process.terminate()
    _, stubborn = psutil.wait_procs(found, timeout=grace_s)
    # Ending ones may have started others in the meantime.
    for process in {*stubborn, *members(leader)}:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5)
    left = members(leader)
    if left:
        raise RuntimeError(f"processes still running: {', '.join(str(process.pid) for process in left)}")
    return len(found)
