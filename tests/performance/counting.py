"""What a run was counted to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench import Workbench


@dataclass(frozen=True, slots=True)
class Counted:
    """What one run did.

    Attributes:
        opened: how often each file below the installation was opened for reading, by path relative to it.
        listed: how often a directory below it was listed.
        processes: programs started.
        statements: sent to the state database.
        read: bytes read with system calls.
        written: bytes written with them.
        exported: contacts delivered.
    """

    opened: dict[str, int]
    listed: int
    processes: int
    statements: int
    read: int
    written: int
    exported: int


CountRun = Callable[[Workbench], Counted]
