"""Ogg (RFC 3533): first codec, and whether the file is whole.

It is when the last page is there and marked as the end.
"""

from __future__ import annotations

from bulk_export.media.containers.sniffed import Sniffed, Window, malformed, truncated

_MAGIC = b"OggS"
_PAGE_HEADER = 27
_FIRST, _LAST = 0x02, 0x04
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
    fault = _end_fault(window, end)
    if fault:
        return truncated("ogg", fault)
    known = bool(audio or video) and not several
    return Sniffed("ogg", audio, video, codecs_known=known, whole=True if window.tail else None)


def _end_fault(window: Window, first_end: int) -> str:
    """Why the end of the file is not the end of the stream; empty when it is, or is out of sight."""
    tail = window.tail
    if window.size <= first_end:
        return "only the first page is there"
    if not tail:
        return ""
    at = tail.rfind(_MAGIC)
    while at >= 0 and len(tail) - at > _PAGE_HEADER and tail[at + 4] != 0:
        at = tail.rfind(_MAGIC, 0, at)  # the letters, inside of audio
    if at < 0:
        return "no page near the end"
    end = _page_end(tail, at)
    if end is None or end > len(tail):
        return "the last page is not complete"
    if not tail[at + 5] & _LAST:
        return "the last page is not marked as the end of the stream"
    return ""


def _page_end(data: bytes, at: int) -> int | None:
    """Offset behind the page at `at`, None when its header is not all there or is of an unknown version."""
    if len(data) < at + _PAGE_HEADER or data[at + 4] != 0:
        return None
    segments = data[at + 26]
    lacing = data[at + _PAGE_HEADER : at + _PAGE_HEADER + segments]
    if len(lacing) < segments:
        return None
    return at + _PAGE_HEADER + segments + sum(lacing)
