"""Which process runs an export, and whether it has ended.

A number alone is no process: it is given away again, each container counts from 1, and after a start of the machine all
are new. Where the number cannot be judged, such as on another machine, nothing is known.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_STARTED_FIELD = 19  # of /proc/<pid>/stat, after the name in brackets: ticks since the machine started


@dataclass(frozen=True, slots=True)
class Process:
    """A process of some machine.

    Attributes:
        host: the machine's name; a container has its own.
        boot: which start of the machine; empty where that is not known.
        namespace: in which the number counts; empty where there is but one.
        pid: its number.
        started: when it started, as the machine counts; empty where that is not known.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"

    def as_text(self) -> str:
        """The process as a run's record keeps it."""
        return json.dumps(asdict(self))


def process_of(text: str) -> Process | None:
    """The process in a run's record; None for those of Airflow."""
    return Process(**json.loads(text)) if text else None


def this_process() -> Process:
    """The process that asks."""
    boot = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    namespace = ""
    with suppress(OSError):
        namespace = str(Path("/proc/self/ns/pid").readlink())
    fields = _stat(os.getpid())
    started = fields[_STARTED_FIELD] if fields else ""
    return Process(socket.gethostname(), boot, namespace, os.getpid(), started)


def has_ended(process: Process) -> bool | None:
    """Whether a process has ended; None where that cannot be known here."""
    here = this_process()
    if process.host != here.host:
        return None
    if process.boot != here.boot:
        return True
    if process.namespace != here.namespace:
        return None
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # somebody else's
        pass
    fields = _stat(process.pid)
    if fields is None:
        return False
    # A zombie has ended, though its number is still taken.
    return fields[0] == "Z" or fields[_STARTED_FIELD] != process.started


def _stat(pid: int) -> list[str] | None:
    """What Linux says of a process, from its state on; None where it says nothing."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()
