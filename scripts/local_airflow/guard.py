"""End an instance once the process that started it is gone.

Called as `python -m local_airflow.guard HOME PID`.

Tests are killed when they take too long, and then nothing of theirs runs any more; this does.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

from local_airflow.config import Folders
from local_airflow.instance import LocalAirflow

SCRIPTS = Path(__file__).resolve().parents[1]


def watch_over(home: Path, pid: int) -> subprocess.Popen[bytes]:
    """Start the guard of the instance at `home`, in its own session."""
    command = [sys.executable, "-m", "local_airflow.guard", str(home), str(pid)]
    return subprocess.Popen(command, cwd=SCRIPTS, start_new_session=True, stdin=subprocess.DEVNULL)


def main(home: Path, pid: int) -> None:
    """Wait for the process to go, then end the instance."""
    airflow = LocalAirflow(Folders(home, home, home, home))
    with suppress(psutil.NoSuchProcess):
        wanted = psutil.Process(pid)
        while wanted.is_running() and wanted.status() != psutil.STATUS_ZOMBIE:
            if airflow.found() is None:
                return
            time.sleep(1)
    airflow.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
