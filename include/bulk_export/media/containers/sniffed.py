"""What a file's first and last bytes say: what container readers return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Window:
    """What is seen of a file: beginning, end and size.

    For a small file both are the whole of it.


    Attributes:
        head: the first bytes.
        tail: the last bytes; may be empty when only the beginning could be read (a long remote object).
        size: bytes of the whole file.
        more: reads what is neither in `head` nor in `tail`; None where only these are to be had.
    """

    head: bytes
    tail: bytes
    size: int
    more: Callable[[int, int], bytes] | None = field(default=None, compare=False)

    def at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`, fewer where they are not seen."""
        if offset + length <= len(self.head):
            return self.head[offset : offset + length]
        start = offset - (self.size - len(self.tail))
        if start >= 0:
            return self.tail[start : start + length]
        if self.more is not None:
            return self.more(offset, length)
        return self.head[offset : offset + length]


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the bytes say about a media file.

    Attributes:
        container: `wav ogg mp3 webm matroska mp4 asf …`, empty when not recognised.
        audio: codec of the audio, named as FFmpeg names it, empty when there is none.
        video: codec of the video, empty when there is none.
        codecs_known: False when only a media library knows the streams.
        whole: True when the header's sizes prove that nothing is missing, None when the format does not show it.
        fault: why the file cannot be delivered (empty, cut off, no media), empty when nothing speaks against it.
        understated: True when there is more audio than the header says: it runs to the end of the file.
        claimed_s: duration the header states, seconds; 0 when it states none or only a media library knows.
    """

    container: str = ""
    audio: str = ""
    video: str = ""
    codecs_known: bool = False
    whole: bool | None = None
    fault: str = ""
    understated: bool = False
    claimed_s: float = 0.0


def truncated(container: str, missing: str) -> Sniffed:
    """A file of `container` that ends too early."""
    return Sniffed(container, fault=f"cut off: {missing}")


def surplus(container: str, audio: str, what: str) -> Sniffed:
    """A file of `container` that holds more than one recording."""
    return Sniffed(container, audio, fault=what)


def malformed(container: str, what: str) -> Sniffed:
    """A file that begins like `container` and then is not."""
    return Sniffed(container, fault=f"not readable as {container}: {what}")
