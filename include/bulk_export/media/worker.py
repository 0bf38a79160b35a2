"""A converting process: reads conversions from standard input, answers on standard output, one line each.

Started by `pool.py`. It ends when its input ends or its parent is gone, in the middle of a file too, so that no orphan
stays behind whatever kills the parent. A signal for the whole process group must not make it fail a file: the parent
decides.
"""

from __future__ import annotations

import errno
import faulthandler
import json
import os
import queue
import resource
import select
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from bulk_export.jobs.item_fault import ItemFault
from bulk_export.media.conversion import Conversion, ConversionOutcome
from bulk_export.media.plan import Copy, Source, Unusable, plan
from bulk_export.reasons import Reason

BEGUN = b'{"begun": true}\n'
"""Said before a file is touched: a process that dies earlier was not killed by the file."""

_PARENT_CHECK_S = 2.0
# FFmpeg could hang without releasing anything: then the kernel ends the process this long after its limit.
_ALARM_GRACE_S = 30
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG})


def main() -> None:
    """Serve until the input ends."""
    faulthandler.enable()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold recordings
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever prints must not mix with the answers
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests, os.getppid()), daemon=True).start()
    try:
        from bulk_export.media import transcode  # noqa: F401 - loads the library before the first file's time runs
    except ImportError as error:
        answers.write(json.dumps({"unavailable": str(error)}).encode() + b"\n")
        return
    answers.write(b'{"ready": true}\n')
    _serve(requests, answers)


def _serve(requests: queue.SimpleQueue[bytes], answers: BinaryIO) -> None:
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


def convert(conversion: Conversion) -> ConversionOutcome:
    """Make the file, or say why not."""
    try:
        conversion.into.write_bytes(b"")
    except OSError as error:
        return ConversionOutcome("failed", detail=f"cannot write scratch files: {error.strerror}")
    try:
        return _convert(conversion)
    except ItemFault as fault:
        return ConversionOutcome("fault", fault.reason, fault.detail)
    except FileNotFoundError:
        return ConversionOutcome("fault", Reason.MEDIA_MISSING, "the stored file is not there any more")
    except Exception as error:
        number = getattr(error, "errno", None)
        if number in _NO_ROOM:
            return ConversionOutcome("failed", detail=f"cannot write scratch files: {os.strerror(number)}")
        # An encoder that fails with an error of its own is out of memory, or the picture is beyond what it can do.
        if isinstance(error, MemoryError) or number == errno.ENOMEM or type(error).__name__ == "ExternalError":
            megabytes = conversion.limits.max_memory_bytes // 1024**2
            return ConversionOutcome(
                "fault", Reason.MEDIA_TOO_LARGE, f"too much for the encoder, or for {megabytes} MB of memory"
            )
        detail = f"cannot be converted ({getattr(error, 'strerror', None) or type(error).__name__})"
        return ConversionOutcome("fault", Reason.MEDIA_CORRUPT, detail)


def _convert(conversion: Conversion) -> ConversionOutcome:
    from bulk_export.media.probe import probe
    from bulk_export.media.transcode import build

    audio = probe(conversion.audio, "audio") if conversion.audio else None
    screen = probe(conversion.screen, "screen") if conversion.screen else None
    decided = plan(conversion.requested, audio, screen)
    if isinstance(decided, Unusable):
        return ConversionOutcome("fault", Reason.MEDIA_CORRUPT, decided.detail)
    if isinstance(decided, Copy):
        return ConversionOutcome("copy")
    stored: dict[Source, Path] = {}
    if conversion.audio:
        stored["audio"] = conversion.audio
    if conversion.screen:
        stored["screen"] = conversion.screen
    build(decided, stored, conversion.into, conversion.limits)
    return ConversionOutcome("built")


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
