"""A transcript as it is delivered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """What a writer makes of a transcript.

    Attributes:
        content: the file's bytes.
        fixes: characters the format forbids and the writer replaced.
    """

    content: bytes
    fixes: int = 0
