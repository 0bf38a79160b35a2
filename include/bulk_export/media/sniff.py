"""What a media file is, from its first and last bytes.

Pure, and takes microseconds; it also finds what evidently is no media.

| the file | says |
|---|---|
| empty, only zero bytes, text such as an error page | fault |
| WAV, Ogg, MP3 | container, codec; cut off or whole |
| WebM, Matroska, MP4, QuickTime, ASF | container; cut off or whole; streams need `probe.py` |
| FLAC, AMR, AIFF, AVI, … | container |
| anything else | nothing: `probe.py` must open it |

A size that a catalogue knows decides only where the format itself cannot tell whether the file is whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import BinaryIO

from bulk_export.media.containers.asf import is_asf, read_asf
from bulk_export.media.containers.ebml import is_ebml, read_ebml
from bulk_export.media.containers.mp3 import is_mp3, read_mp3
from bulk_export.media.containers.mp4 import is_mp4, read_mp4
from bulk_export.media.containers.ogg import is_ogg, read_ogg
from bulk_export.media.containers.sniffed import Sniffed, Window
from bulk_export.media.containers.wav import is_wav, read_wav

# An Ogg page has up to 65,307 bytes: the beginning of the last one must be in sight.
WINDOW_BYTES = 66 * 1024

_MAGIC = (
    (b"fLaC", "flac"),
    (b"#!AMR", "amr"),
    (b"caff", "caf"),
    (b"riff\x2e\x91\xcf\x11", "w64"),
    (b".snd", "au"),
    (b"FLV\x01", "flv"),
)
_TEXT_BYTES = frozenset(range(32, 127)) | {9, 10, 13}
_TEXT_SEEN = 256


def sniff(window: Window, catalogue_bytes: int | None = None) -> Sniffed:
    """What the file is.

    Args:
        window: its first and last bytes.
        catalogue_bytes: the size the contact store has noted, 0 for none.
    """
    sniffed = _recognise(window)
    if not sniffed.fault and sniffed.whole is None and catalogue_bytes and window.size < catalogue_bytes:
        return replace(sniffed, fault=f"cut off: {window.size} of {catalogue_bytes} bytes are there")
    return sniffed


def window_of(stream: BinaryIO, size: int, more: Callable[[int, int], bytes] | None = None) -> Window:
    """The window of a seekable file.

    Args:
        stream: the file, at its beginning.
        size: bytes of it.
        more: reads what is between its ends; None where nothing can.
    """
    head = stream.read(WINDOW_BYTES)
    if size <= len(head):
        return Window(head, head, len(head))
    stream.seek(max(0, size - WINDOW_BYTES))
    return Window(head, stream.read(WINDOW_BYTES), size, more)


def _recognise(window: Window) -> Sniffed:
    head = window.head
    if not window.size:
        return Sniffed(fault="empty: the file has no bytes")
    if is_wav(head):
        return read_wav(window)
    if is_ogg(head):
        return read_ogg(window)
    if is_ebml(head):
        return read_ebml(window)
    if is_mp4(head):
        return read_mp4(window)
    if is_asf(head):
        return read_asf(window)
    for magic, container in _MAGIC:
        if head.startswith(magic):
            return Sniffed(container)
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return Sniffed("avi")
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return Sniffed("aiff")
    if is_mp3(window):
        return read_mp3(window)
    return Sniffed(fault=_no_media(head))


def _no_media(head: bytes) -> str:
    """Why nothing recognised cannot be media either; empty when only a media library can tell."""
    if not head.strip(b"\0"):
        return "no media: only zero bytes"
    if _TEXT_BYTES.issuperset(head[:_TEXT_SEEN]):
        return "no media: it is text"
    return ""
