"""The attempt that a stage belongs to: whether it still counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bulk_export.state.attempts import confirm_attempt, next_attempt

if TYPE_CHECKING:
    from sqlalchemy import Engine

_INTERVAL_S = 1.0


class Attempt:
    """One attempt at a run.

    What it writes, it writes after `confirm`: a process that was stopped for an hour wakes up in the middle of a write.

    Args:
        engine: the state database.
        run_id: the run.
        number: of the attempt, as the record said when the stage began.
    """

    def __init__(self, engine: Engine, run_id: str, number: int) -> None:
        self._engine, self._run_id, self.number = engine, run_id, number
        self._confirmed = float("-inf")

    def renew(self) -> None:
        """Begin another attempt.

        Whatever else is still at work on the run is late from now on.

        Raises:
            LateAttemptError: another one has taken over already.
        """
        self.number = next_attempt(self._engine, self._run_id, self.number).attempt

    def confirm(self) -> None:
        """See that the attempt still counts.

        Raises:
            LateAttemptError: another one has taken over.
        """
        asked = time.monotonic()
        confirm_attempt(self._engine, self._run_id, self.number)
        self._confirmed = asked

    def confirm_at_times(self) -> None:
        """`confirm`, at most once a second.

        For writes of which there are hundreds a second.
        """
        if time.monotonic() - self._confirmed > _INTERVAL_S:
            self.confirm()
