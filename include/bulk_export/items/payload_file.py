"""One file of a bag: path, size and digest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PayloadFile:
    """A file of the bag.

    `path` is relative to the bag, such as `data/media/0001/100001.mp3`.
    """

    path: str
    bytes: int
    sha256: str
