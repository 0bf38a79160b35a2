"""Run an export and kill this very process with SIGKILL at the nth write to a storage: started by test_kill.py.

The write that is cut short has put its temporary file there already, as a power cut would leave it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from workbench import Workbench

from bulk_export.pipeline import run_export
from bulk_export.storage.base import Stored
from bulk_export.storage.local import LocalStorage


def main(root: str, run_id: str, fatal_write: int) -> None:
    bench = Workbench.at(Path(root))
    writes = 0
    put = LocalStorage.put

    def counting_put(self: LocalStorage, key: str, content: bytes | Path | BinaryIO, **how: Any) -> Stored:
        nonlocal writes
        writes += 1
        if writes == fatal_write:
            target = self.path(key)
            target.parent.mkdir(parents=True, exist_ok=True)
            (target.parent / f".part-{os.urandom(8).hex()}").write_bytes(b"half of it")
            os.kill(os.getpid(), signal.SIGKILL)
        return put(self, key, content, **how)

    LocalStorage.put = counting_put  # type: ignore[method-assign]
    run_export(bench.site(), bench.request(run_id=run_id))
    print(writes)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
