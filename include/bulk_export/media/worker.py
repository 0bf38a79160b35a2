"""A converting process: reads conversions, writes answers.

Conversions come on standard input, answers go to standard output, one line each.
Started by `pool.py`. It ends when its input ends or its parent is gone, in the middle of a file too, so that no orphan
stays behind whatever kills the parent. A signal for the whole process group must not make it fail a file: the parent
decides.
"""

from __future__ import annotations

import faulthandler
import json
import os
import queue
import resource
import select
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pkgutil import resolve_name
from typing import BinaryIO

from bulk_export.media.conversion import Conversion, ConversionOutcome

BEGUN = b'{"begun": true}\n'
"""Said before a file is touched: a process that dies earlier was not killed by the file."""

_CONVERT = "bulk_export.media.convert:convert"
_PARENT_CHECK_S = 2.0
# FFmpeg could hang without releasing anything: then the kernel ends the process this long after its limit.
_ALARM_GRACE_S = 30


def main() -> None:
    """Serve until the input ends."""
    faulthandler.enable()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold recordings
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever prints must not mix with the answers
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, os.getppid()), daemon=True).start()
    try:
        # Not at the top: signals must not end the process while the library loads, and a missing one is an answer.
        convert = resolve_name(_CONVERT)
    except ImportError as error:
        answers.write(json.dumps({"unavailable": str(error)}).encode() + b"\n")
        return
    answers.write(b'{"ready": true}\n')
    _serve(requests, answers, convert)


def _serve(
    requests: queue.SimpleQueue[bytes], answers: BinaryIO, convert: Callable[[Conversion], ConversionOutcome]
) -> None:
    limited = False
    while True:
        conversion = Conversion.from_line(requests.get())
        answers.write(BEGUN)
        if not limited and conversion.limits.max_memory_bytes:
            with suppress(ValueError, OSError):  # not every system has this limit
                resource.setrlimit(resource.RLIMIT_AS, (conversion.limits.max_memory_bytes, resource.RLIM_INFINITY))
            limited = True
        signal.alarm(int(conversion.limits.timeout_s) + _ALARM_GRACE_S)
        answers.write(convert(conversion).to_line())
        signal.alarm(0)


def _listen(requests: queue.SimpleQueue[bytes], parent: int) -> None:
    """Pass requests on; end the process when there is nobody left to ask."""
    pending = b""
    while True:
        readable, _, _ = select.select([0], [], [], _PARENT_CHECK_S)
        if not readable:
            # Another child of the parent may hold the pipe open: look at the parent itself.
            if os.getppid() != parent:
                os._exit(1)
            continue
        received = os.read(0, 65_536)
        if not received:
            os._exit(0)
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            requests.put(line)


if __name__ == "__main__":
    main()
