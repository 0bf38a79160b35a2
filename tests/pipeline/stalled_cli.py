"""Run the command line and stop at the nth write of the main thread: started by test_stopped_cli.py.

It says `stalled` there, and goes on once the file named exists.
"""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

from bulk_export.cli import main
from bulk_export.storage.base import Stored
from bulk_export.storage.local import LocalStorage


def stall(write: int, gate: Path) -> None:
    """Make the nth write of the main thread wait for a file."""
    writes = 0
    put = LocalStorage.put

    def waiting_put(self: LocalStorage, key: str, content: bytes | Path | BinaryIO, **how: Any) -> Stored:
        nonlocal writes
        if threading.current_thread() is threading.main_thread():
            writes += 1
            if writes == write:
                print("stalled", file=sys.stderr, flush=True)
                while not gate.exists():
                    time.sleep(0.05)
        return put(self, key, content, **how)

    LocalStorage.put = waiting_put  # type: ignore[method-assign]


if __name__ == "__main__":
    stall(int(sys.argv[1]), Path(sys.argv[2]))
    sys.exit(main(sys.argv[3:]))
