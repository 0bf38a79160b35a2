"""Tell an unreadable object from an outage of its store.

The first is a fault of the object's contact, the second of the job.

A bad sector, a stale handle or a damaged object spoils one file or a few. When disk or network fail, nothing can be
read any more: so many in a row, with none readable in between, end the task, and it is tried again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from bulk_export.errors import TransientError, UnreadableError

IN_A_ROW = 10


@dataclass(slots=True)
class UnreadableObjects:
    """What one job could not read of its contact store.

    For several threads.
    """

    _in_a_row: int = 0
    _counting: Lock = field(default_factory=Lock)

    def record_success(self) -> None:
        """Note that an object could be read: this is no outage."""
        self._in_a_row = 0

    def record(self, error: UnreadableError) -> str:
        """Why one object cannot be read, in words.

        Raises:
            TransientError: STORAGE_UNREACHABLE, it is one of many.
        """
        with self._counting:
            self._in_a_row += 1
            in_a_row = self._in_a_row
        if in_a_row >= IN_A_ROW:
            raise TransientError(error.code, f"{error.message} ({in_a_row} objects in a row)", hint=error.hint)
        return f"it cannot be read ({error.cause})"
