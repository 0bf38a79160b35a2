"""Ogg (RFC 3533): first codec, wholeness, and missing pages.

The last page should be marked as the end of the stream. Recorders that are stopped do not mark it: then nothing shows
whether the file is whole, and only a last page that is not complete is a fault.
"""

from __future__ import annotations

from struct import unpack_from
from typing import BinaryIO

from bulk_export.media.containers.sniffed import Sniffed, Window, malformed, truncated

_MAGIC = b"OggS"
_PAGE_HEADER = 27
_FIRST, _LAST = 0x02, 0x04
_SERIAL = 14  # offset of the stream's number and the page's
_AUDIO = {b"OpusHead": "opus", b"\x01vorbis": "vorbis", b"\x7fFLAC": "flac", b"Speex   ": "speex"}
_VIDEO = {b"\x80theora": "theora"}


def is_ogg(head: bytes) -> bool:
    """Whether the file begins as one."""
    return head.startswith(_MAGIC)


def read_ogg(window: Window) -> Sniffed:
    """Codec and wholeness."""
    head = window.head
    end = _page_end(head, 0)
    if end is None or not head[5] & _FIRST:
        return malformed("ogg", "no complete first page")
    payload = head[_PAGE_HEADER + head[26] : end]
    audio = next((codec for magic, codec in _AUDIO.items() if payload.startswith(magic)), "")
    video = next((codec for magic, codec in _VIDEO.items() if payload.startswith(magic)), "")
    several = head[end : end + 4] == _MAGIC and len(head) > end + 5 and bool(head[end + 5] & _FIRST)
    fault, ended = _end(window, end)
    if fault:
        return truncated("ogg", fault)
    known = bool(audio or video) and not several
    return Sniffed("ogg", audio, video, codecs_known=known, whole=ended or None)


def missing_pages(stream: BinaryIO) -> int:
    """The number of missing pages, as the numbers of the others show.

    The file is read from its beginning.

    A part that was not sent (discontinuous transmission) leaves a gap in time and none in these numbers.
    """
    missing, offset = 0, 0
    expected: dict[int, int] = {}
    while True:
        stream.seek(offset)
        header = stream.read(_PAGE_HEADER + 255)
        end = _page_end(header, 0)
        if end is None or not header.startswith(_MAGIC):
            return missing
        serial, number = unpack_from("<II", header, _SERIAL)
        if serial in expected and not header[5] & _FIRST:
            missing += max(0, number - expected[serial])
        expected[serial] = number + 1
        offset += end


def _end(window: Window, first_end: int) -> tuple[str, bool]:
    """Why the end of the file is not the end of the stream, empty for none; whether it is marked as the end."""
    tail = window.tail
    if window.size <= first_end:
        return "only the first page is there", False
    if not tail:
        return "", False
    at = tail.rfind(_MAGIC)
    while at >= 0 and len(tail) - at > _PAGE_HEADER and tail[at + 4] != 0:
        at = tail.rfind(_MAGIC, 0, at)  # the letters, inside of audio
    if at < 0:
        return "no page near the end", False
    end = _page_end(tail, at)
    if end is None or end > len(tail):
        return "the last page is not complete", False
    return "", bool(tail[at + 5] & _LAST)


def _page_end(data: bytes, at: int) -> int | None:
    """Offset behind the page at `at`, None when its header is not all there or is of an unknown version."""
    if len(data) < at + _PAGE_HEADER or data[at + 4] != 0:
        return None
    segments = data[at + 26]
    lacing = data[at + _PAGE_HEADER : at + _PAGE_HEADER + segments]
    if len(lacing) < segments:
        return None
    return at + _PAGE_HEADER + segments + sum(lacing)
