"""Define the errors of a run, sorted by what to do.

`DefinitionError`: somebody must edit a definition; a retry cannot help. `RefusedError`: licence, quota or access
says no; a retry cannot help. `TransientError`: the world may be better in a minute; retry. Anything wrong with one
contact is not an exception but a record with a reason (`reasons.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bulk_export.error_codes import ERROR_CODES


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a definition: its place and the fix.

    Attributes:
        file: path of the file, relative to the definitions folder.
        line: 1-based line, 0 when the problem is the whole file.
        where: dotted path of the key, such as `media.audio_only` or `filters[1]`; empty for the whole file.
        message: what is wrong, with the value and the nearest valid name.
        blocks_loading: True when the file gives no definition (no DAG); False when it loads but a run will be refused.
    """

    file: str
    line: int
    where: str
    message: str
    blocks_loading: bool = True

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place} {self.where}: {self.message}" if self.where else f"{place}: {self.message}"


class BulkExportError(Exception):
    """Base of every error the product raises on purpose.

    Attributes:
        code: stable name for programs and the audit, such as `FILTER_INCOMPLETE`.
        message: operation, subject and place, in words; never a secret, never personal data.
        hint: what to do next, one sentence; may be empty.
        problems: every problem found, where there are several.
    """

    def __init__(self, code: str, message: str, *, hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.hint = hint
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [f"{self.code}: {self.message}", *(f"  {problem}" for problem in self.problems)]
        if self.hint:
            lines.append(f"What to do: {self.hint}")
        return "\n".join(lines)


class DefinitionError(BulkExportError):
    """A definition or the contact store must be fixed first. Never retried."""


class RefusedError(BulkExportError):
    """The licence, the quota or an access right says no. Never retried."""


class TransientError(BulkExportError):
    """Storage, store or database could not be reached or is full. Retried."""


class LateAttemptError(TransientError):
    """Another attempt has taken the run over.

    This one changes nothing any more, and its errors do not count.
    """


class UnreadableError(TransientError):
    """One stored object is there, and its bytes cannot be had.

    A retry may help. For the contact it belongs to it is a fault.

    Attributes:
        cause: in the words of the system or service, without the object's address.
    """

    def __init__(self, code: str, message: str, *, hint: str, cause: str) -> None:
        super().__init__(code, message, hint=hint)
        self.cause = cause


_CLASSES = {kind.__name__: kind for kind in (BulkExportError, DefinitionError, RefusedError, TransientError)}


def error_of(code: str, message: str) -> BulkExportError:
    """Make the error of a code.

    Its class and what to do are those of the table of codes.

    Raises:
        KeyError: the code is not in the table, or stands for no exception.
    """
    known = ERROR_CODES[code]
    return _CLASSES[known.kind.raised_as](code, message, hint=known.remedy)


class StateAwayError(TransientError):
    """The state database does not answer at the moment.

    It is started again, or out of reach.

    Attributes:
        lost: whether it went away during a transaction, which is to be done again as a whole.
    """

    lost = False
