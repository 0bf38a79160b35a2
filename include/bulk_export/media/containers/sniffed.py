"""What a file's first and last bytes say: what container readers return."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """What is seen of a file: beginning, end and size.

    For a small file both are the whole of it.


    Attributes:
        head: the first bytes.
        tail: the last bytes; may be empty when only the beginning could be read (a long remote object).
        size: bytes of the whole file.
    """

    head: bytes
    tail: bytes
    size: int

    def at(self, offset: int, length: int) -> bytes:
        """`length` bytes from `offset`, fewer where they are not seen."""
        if offset + length <= len(self.head):
            return self.head[offset : offset + length]
        start = offset - (self.size - len(self.tail))
        if start >= 0:
            return self.tail[start : start + length]
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
        claimed_s: duration the header states, seconds; 0 when it states none or only a media library knows.
    """

    container: str = ""
    audio: str = ""
    video: str = ""
    codecs_known: bool = False
    whole: bool | None = None
    fault: str = ""
    claimed_s: float = 0.0


def truncated(container: str, missing: str) -> Sniffed:
    """A file of `container` that ends too early."""
    return Sniffed(container, fault=f"cut off: {missing}")


def malformed(container: str, what: str) -> Sniffed:
    """A file that begins like `container` and then is not."""
    return Sniffed(container, fault=f"not readable as {container}: {what}")
