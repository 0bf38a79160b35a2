"""Run make targets side by side; show each one's output whole.

    python scripts/run_targets.py check test-spread test-airflow

Every target counts: the exit status is 1 when any of them failed, after all have ended. The output is also kept in
`var/log/make-TARGET.log`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

PROJECT = Path(__file__).resolve().parents[1]
# Somebody who watches wants to see now and then that it goes on.
REMINDER_S = 60.0


@dataclass(frozen=True, slots=True)
class Part:
    """A target that was started.

    Attributes:
        target: of the Makefile.
        process: make, the leader of its own process group.
        log: file of its output.
        started_at: monotonic seconds.
    """

    target: str
    process: subprocess.Popen[bytes]
    log: Path
    started_at: float

    def seconds(self) -> int:
        """Whole seconds since it was started."""
        return round(time.monotonic() - self.started_at)


def run_targets(targets: Sequence[str], folder: Path) -> int:
    """Run Makefile targets together; 0 when all succeeded, else 1."""
    parts: list[Part] = []
    try:
        parts += (_start(target, folder) for target in targets)
        codes = _follow(parts)
    finally:
        for part in parts:
            if part.process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(part.process.pid, signal.SIGINT)  # pytest ends its servers then
    for target, (code, seconds) in codes.items():
        print(f"make {target}: {seconds} s, {f'FAILED ({code})' if code else 'passed'}", flush=True)
    return 1 if any(code for code, _ in codes.values()) else 0


def _start(target: str, folder: Path) -> Part:
    log = folder / f"var/log/make-{target}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # Started from make itself, it must not take part in that one's jobs.
    environment = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS"}}
    command = ["make", "--no-print-directory", target]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT, process_group=0
        )
    return Part(target, process, log, time.monotonic())


def _follow(parts: Sequence[Part]) -> dict[str, tuple[int, int]]:
    """Wait for every part; exit status and seconds by target."""
    codes: dict[str, tuple[int, int]] = {}
    reminded_at = time.monotonic()
    while running := [part for part in parts if part.target not in codes]:
        for part in running:
            if (code := part.process.poll()) is not None:
                codes[part.target] = (code, part.seconds())
                print(f"===== make {part.target}", part.log.read_text(errors="replace"), sep="\n", flush=True)
        if time.monotonic() - reminded_at > REMINDER_S:
            reminded_at = time.monotonic()
            print(f"... still running: {', '.join(part.target for part in running)}", flush=True)
        time.sleep(0.2)
    return codes


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _end)
    sys.exit(run_targets(sys.argv[1:], PROJECT))
