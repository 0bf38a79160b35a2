"""Attempts at runs, each in a child that gets a signal before its nth step: started by `Attempts`.

A step is whatever a storage is asked to put or delete, and every commit of the state database; for SIGSTOP every
connection to it instead of commits, because whoever is stopped within a transaction keeps all others waiting. Each line
of standard input is a JSON list: what to do, folder, run id, step, signal. The answer is how the child ended and how
many steps there were; a child that was stopped gets the signal of the next
line.

One process for all, which has loaded the libraries and used none of them: a child of it starts in no time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from workbench import Workbench

from bulk_export.pipeline import run_export
from bulk_export.stages.publish_manifest import publish_manifest
from bulk_export.stages.write_audit import write_audit
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.objects import ObjectStorage


class Attempts:
    """The running program."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def publish(self, root: Path, run_id: str, step: int) -> tuple[int, int]:
        """Publish and close a run, killed before a step; exit code and number of steps."""
        return self._ask("publish", str(root), run_id, step, signal.SIGKILL)

    def run_stopped(self, root: Path, run_id: str, step: int) -> bool:
        """Make a whole run that is stopped before a step; whether it came so far."""
        code, _ = self._ask("run", str(root), run_id, step, signal.SIGSTOP)
        return code == -signal.SIGSTOP

    def wake(self) -> int:
        """Have the stopped run go on to its end; its exit code."""
        return self._ask(signal.SIGCONT)[0]

    def kill(self) -> None:
        """End the stopped run where it is."""
        self._ask(signal.SIGKILL)

    def end(self) -> None:
        """End the program."""
        self._process.communicate()

    def _ask(self, *words: object) -> tuple[int, int]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(words), file=self._process.stdin, flush=True)
        code, steps = json.loads(self._process.stdout.readline())
        return code, steps


class Steps:
    """Counts steps and sends this process a signal before one of them."""

    def __init__(self, fatal: int, signal_number: int) -> None:
        self.fatal, self.signal_number, self.count = fatal, signal_number, 0

    def step(self, *_: object) -> None:
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), self.signal_number)

    def watch(self, storage: type, name: str) -> None:
        original: Callable[..., Any] = getattr(storage, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            self.step()
            return original(*args, **kwargs)

        setattr(storage, name, counting)


def child(what: str, root: str, run_id: str, fatal: int, signal_number: int, answer: int) -> None:
    steps = Steps(fatal, signal_number)
    for storage in (LocalStorage, ObjectStorage):
        steps.watch(storage, "put")
        steps.watch(storage, "delete")
    event.listen(Engine, "engine_connect" if signal_number == signal.SIGSTOP else "commit", steps.step)
    bench = Workbench.at(Path(root))
    if what == "run":
        run_export(bench.site(), bench.request(run_id=run_id))
    else:
        publish_manifest(bench.site(), run_id)
        write_audit(bench.site(), run_id)
    os.write(answer, str(steps.count).encode())


def main() -> None:
    for line in sys.stdin:
        read, write = os.pipe()
        process = os.fork()
        if process == 0:
            os.close(read)
            try:
                child(*json.loads(line), write)
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            os._exit(0)
        os.close(write)
        _, status = os.waitpid(process, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            print(json.dumps([-signal.SIGSTOP, 0]), flush=True)
            [how] = json.loads(sys.stdin.readline())
            os.kill(process, how)
            _, status = os.waitpid(process, 0)
        steps = os.read(read, 100).decode()
        os.close(read)
        print(json.dumps([os.waitstatus_to_exitcode(status), int(steps or 0)]), flush=True)


if __name__ == "__main__":
    main()
