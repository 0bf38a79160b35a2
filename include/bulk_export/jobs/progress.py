"""How a stage reports how far it is."""

from __future__ import annotations

from typing import Protocol


class ReportProgress(Protocol):
    """Receives how far a job is, every few seconds or hundred contacts."""

    def __call__(self, *, contacts_done: int, bytes_written: int) -> None:
        """Note progress.

        Args:
            contacts_done: contacts that need nothing any more, those of earlier attempts included.
            bytes_written: bytes delivered for them.
        """
        ...
