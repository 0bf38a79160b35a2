"""MP4 and QuickTime (ISO base media): brand, and whether it is whole.

Streams are left to the library.
"""

from __future__ import annotations

from struct import unpack_from

from bulk_export.media.containers.sniffed import Sniffed, Window, malformed, truncated

_FIRST = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}
_HEADER, _LONG_HEADER = 8, 16


def is_mp4(head: bytes) -> bool:
    """Whether the file begins as one."""
    return head[4:8] in _FIRST


def read_mp4(window: Window) -> Sniffed:
    """Brand and wholeness."""
    # Only a file that says so is an MP4; old QuickTime files have no brand at all.
    name = "mp4" if window.head[4:8] == b"ftyp" and window.head[8:12] != b"qt  " else "mov"
    offset, seen = 0, set()
    while offset < window.size:
        header = window.at(offset, _LONG_HEADER)
        if len(header) < _HEADER:
            if window.size - offset < _HEADER:
                break  # a line break that a mail or a download left behind, or the beginning of a box: nothing tells
            return Sniffed(name)  # behind a long box, out of sight
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:
            length = window.size - offset  # the last box may run to the end of the file
        if length < _HEADER:
            return malformed(name, f"no box at byte {offset}")
        seen.add(kind)
        offset += length
    rest = window.at(offset, _HEADER) if offset < window.size else b""
    if offset > window.size:
        return truncated(name, f"{window.size} of {offset} bytes are there")
    if b"moov" not in seen:
        return truncated(name, "the index (moov) is missing")
    if not seen & {b"mdat", b"moof"}:
        return truncated(name, "it holds no audio or video")
    return Sniffed(name, whole=None if rest.strip(b"\0\r\n\t ") else True, claimed_s=_claimed_s(window))


def _claimed_s(window: Window) -> float:
    """Duration of the film header (`mvhd`), which libraries ignore; 0 when it is out of sight or unknown."""
    for data in (window.head, window.tail):
        at = data.find(b"mvhd")
        if at < 0 or len(data) < at + 36:
            continue
        long = data[at + 4] == 1
        clock, duration = unpack_from(">IQ", data, at + 24) if long else unpack_from(">II", data, at + 16)
        unknown = duration == (1 << (64 if long else 32)) - 1
        return 0.0 if unknown or not clock else float(duration / clock)
    return 0.0
