"""Tell a refusal of one object from one of the whole store.

The first is a fault of the object's contact, the second of the job.

Some stores answer "denied" for what is not there, and one address may name a bucket that does not exist. Many refusals
before anything was readable are a missing right: that fails the task, and all is tried again once it is given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from bulk_export.errors import RefusedError

# So many refused objects, and not one readable, are no longer faults of the objects.
_IN_A_ROW = 20


@dataclass(slots=True)
class AccessDenials:
    """What the contact store has refused one job; for several threads."""

    _refused: int = 0
    _readable: bool = False
    _counting: Lock = field(default_factory=Lock)

    def record_success(self) -> None:
        """Note that an object could be read.

        From now on every refusal is about one object.
        """
        self._readable = True

    def record(self, error: RefusedError) -> str:
        """Why one object cannot be read, in words.

        Raises:
            RefusedError: the refusal itself, when it is about the whole store.
        """
        with self._counting:
            self._refused += 1
            refused = self._refused
        if refused >= _IN_A_ROW and not self._readable:
            raise error
        return "no such storage" if error.code == "STORAGE_MISSING" else "access denied"
