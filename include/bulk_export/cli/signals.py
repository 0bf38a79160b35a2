"""End a command by a signal as by Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# A service manager's stop, and a terminal that is closed.
_STOPS = (signal.SIGTERM, signal.SIGHUP)


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Raise `KeyboardInterrupt`, with the signal's name, where a block is to stop.

    Once: whoever is asked to stop again is closing already. A signal that is ignored (`nohup`) stays so.
    """
    if threading.current_thread() is not threading.main_thread():  # which alone receives signals
        yield
        return
    before = {number: signal.getsignal(number) for number in _STOPS}
    ours = [number for number, handler in before.items() if handler is not signal.SIG_IGN]

    def stop(number: int, frame: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt(signal.Signals(number).name)

    for number in ours:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, before[number])
