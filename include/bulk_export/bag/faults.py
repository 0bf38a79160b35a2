"""What can be wrong with a delivered run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """The kinds of fault, each with its own remedy."""

    UNFINISHED = "unfinished"  # no commit marker
    DECLARATION = "declaration"  # bagit.txt is not that of BagIt 1.0
    MISSING = "missing"
    EXTRA = "extra"  # below data/ and in no manifest
    UNLISTED = "unlisted"  # a tag file the tag manifest does not name
    CHANGED = "changed"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"  # a line that cannot be read
    OXUM = "oxum"  # Payload-Oxum does not count what is there
    ITEMS = "items"  # items.csv disagrees with the files


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong.

    Attributes:
        path: file in the run's directory, with `:<line>` where a line of it is meant.
        kind: what sort of fault.
        expected: what should be there; empty where nothing should.
        found: what is there; empty where nothing is.
    """

    path: str
    kind: FaultKind
    expected: str = ""
    found: str = ""

    def __str__(self) -> str:
        parts = [f"{self.path}: {self.kind}"]
        parts += [f"expected {self.expected}"] if self.expected else []
        parts += [f"found {self.found}"] if self.found else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a verification saw.

    Attributes:
        faults: every fault, by path; empty for a run that is as it was delivered.
        files: payload files found.
        bytes: their size together.
        contacts: rows of items.csv.
    """

    faults: tuple[Fault, ...]
    files: int
    bytes: int
    contacts: int

    @property
    def ok(self) -> bool:
        """Nothing is wrong."""
        return not self.faults


def shown(path: str) -> str:
    """A path as it can be printed.

    Also where its bytes are not UTF-8 or it holds control characters.
    """
    if path.isprintable():
        return path
    return path.encode("unicode_escape").decode("ascii")
