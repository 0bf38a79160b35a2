"""Flush a file system: one call makes thousands of files durable."""

from __future__ import annotations

import ctypes
import os


def flush_file_system(folder: str) -> None:
    """Flush everything written to the file system that holds `folder`.

    `OSError` when the disk reports a write that failed since (Linux 5.8 and later). Elsewhere than on Linux every
    file system is flushed: `os.sync` is all there is.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # The os module has no syncfs before Python 3.15.
        syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
        if syncfs is None:
            os.sync()
        elif syncfs(descriptor) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), folder)
    finally:
        os.close(descriptor)
