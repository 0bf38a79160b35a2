"""Converting processes, one file at a time.

They are started when first needed, and replaced when a file breaks them.

They are programs run with pipes (`python -m bulk_export.media.worker`), not `multiprocessing` children: a task process
of Airflow may be daemonic (it then must not have such children), was forked (its threads and locks would be copied),
and has a main module that must not be run again. A start costs 0.2 s or more, so a job of copies starts none.
"""

from __future__ import annotations

import json
import os
import select
import signal
import site
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from bulk_export.errors import RefusedError, TransientError
from bulk_export.media.conversion import Conversion, ConversionOutcome
from bulk_export.reasons import Reason

_START_S = 120.0
_STOP_S = 5.0
_TRIES = 3
# -P: the working directory is not where modules are looked for.
_COMMAND = [sys.executable, "-P", "-m", "bulk_export.media.worker"]
_PACKAGE_ROOT = str(Path(__file__).parents[2])
_INSTALLED = {*site.getsitepackages(), site.getusersitepackages()}


class Converters:
    """Converting processes for several threads.

    Each call takes an idle one or starts one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._closed = False
        self.started = 0

    def convert(self, conversion: Conversion) -> ConversionOutcome:
        """Make one file, and wait for it.

        A file that takes too long or breaks its process is a fault of the file.

        Raises:
            TransientError: CONVERTER_FAILED, processes cannot be started or scratch files not be written.
            RefusedError: CONVERTER_UNAVAILABLE, PyAV is not installed.
        """
        line, timeout_s = conversion.to_line(), conversion.limits.timeout_s
        for _ in range(_TRIES):
            process = self._take()
            try:
                begun = process.ask(line)
                answer = process.answer(timeout_s) if begun else b""
            except TimeoutError:
                self._discard(process)
                return ConversionOutcome("fault", Reason.MEDIA_CORRUPT, f"conversion exceeded {timeout_s:g} s")
            except BaseException:
                self._discard(process)
                raise
            if answer:
                self._give_back(process)
                return ConversionOutcome.from_line(answer)
            code = self._discard(process)
            if self._closed:
                raise TransientError("CONVERTER_FAILED", "conversion was stopped")
            if begun:
                return ConversionOutcome(
                    "fault", Reason.MEDIA_CORRUPT, f"conversion broke its process ({_how_it_ended(code)})"
                )
        raise TransientError(
            "CONVERTER_FAILED", f"processes for conversion end before they begin ({_how_it_ended(code)})"
        )

    def close(self) -> None:
        """End all processes, those at work too.

        The threads that wait for them get a `TransientError`.
        """
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = self._all.difference(idle)
            self._all = set(busy)
        for process in idle:
            process.kill()
        for process in busy:
            process.stop()  # its own thread, which reads from its pipe, does the rest

    def _take(self) -> _Process:
        with self._lock:
            if self._closed:
                raise TransientError("CONVERTER_FAILED", "conversion was stopped")
            while self._idle:
                process = self._idle.pop()
                if process.alive():
                    return process
                self._all.discard(process)
            process = _Process()
            self._all.add(process)
            self.started += 1
        try:
            process.wait_until_ready()
        except BaseException:
            self._discard(process)
            raise
        return process

    def _give_back(self, process: _Process) -> None:
        with self._lock:
            self._idle.append(process)

    def _discard(self, process: _Process) -> int:
        with self._lock:
            self._all.discard(process)
        return process.kill()


class _Process:
    """One converting process and the pipes to it."""

    def __init__(self) -> None:
        try:
            self._popen = subprocess.Popen(
                _COMMAND,
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
            )
        except OSError as error:
            raise TransientError("CONVERTER_FAILED", f"no process for conversion: {error.strerror}") from error
        self._received = b""

    def wait_until_ready(self) -> None:
        try:
            line = self._read_line(_START_S)
        except TimeoutError:
            line = b""
        if not line:
            raise TransientError("CONVERTER_FAILED", "a process for conversion did not start")
        said = json.loads(line)
        if "unavailable" in said:
            raise RefusedError(
                "CONVERTER_UNAVAILABLE",
                f"media cannot be converted: {said['unavailable']}",
                hint="Install the product's requirements (PyAV), or ask for the original format.",
            )

    def ask(self, line: bytes) -> bool:
        """Hand over a conversion; False when the process died before it began."""
        assert self._popen.stdin is not None
        try:
            self._popen.stdin.write(line)
        except BrokenPipeError:
            return False
        return bool(self.answer(_START_S))

    def answer(self, timeout_s: float) -> bytes:
        """The next line it says; empty when it died. `TimeoutError` when none comes in time."""
        return self._read_line(timeout_s)

    def alive(self) -> bool:
        return self._popen.poll() is None

    def stop(self) -> None:
        """Make it end, whoever is waiting for it."""
        self._popen.kill()

    def kill(self) -> int:
        """End it now; its exit code, negative for a signal."""
        code = self._popen.poll()
        if code is None:
            # It may be about to exit by itself with the code that tells why.
            with suppress(subprocess.TimeoutExpired):
                code = self._popen.wait(0.05 if self._received == b"" else 0)
        if code is None:
            self._popen.kill()
            with suppress(subprocess.TimeoutExpired):
                code = self._popen.wait(_STOP_S)
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        return code if code is not None else -signal.SIGKILL

    def _read_line(self, timeout_s: float) -> bytes:
        assert self._popen.stdout is not None
        descriptor, until = self._popen.stdout.fileno(), time.monotonic() + timeout_s
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while b"\n" not in self._received:
            left = until - time.monotonic()
            if left <= 0 or not poll.poll(min(left, 3600) * 1000):
                if left <= 0:
                    raise TimeoutError
                continue
            piece = os.read(descriptor, 65_536)
            if not piece:
                return b""
            self._received += piece
        line, _, self._received = self._received.partition(b"\n")
        return line


def _environment() -> dict[str, str]:
    """That of this process; a package found through sys.path alone (tests, DAG folders) is found by the child too."""
    if _PACKAGE_ROOT in _INSTALLED:  # on PYTHONPATH, what is installed would come before the standard library
        return dict(os.environ)
    paths = [path for path in (os.environ.get("PYTHONPATH"), _PACKAGE_ROOT) if path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
