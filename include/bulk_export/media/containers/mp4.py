"""MP4 and QuickTime (ISO base media): brand, and whether every box is there. Streams are left to the library."""

from __future__ import annotations

from bulk_export.media.containers.sniffed import Sniffed, Window, broken, torn

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
                return torn(name, "the last box is not complete")
            return Sniffed(name)  # behind a long box, out of sight
        length, kind = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:
            length = window.size - offset  # the last box may run to the end of the file
        if length < _HEADER:
            return broken(name, f"no box at byte {offset}")
        seen.add(kind)
        offset += length
    if offset > window.size:
        return torn(name, f"{window.size} of {offset} bytes are there")
    if b"moov" not in seen:
        return torn(name, "the index (moov) is missing")
    if not seen & {b"mdat", b"moof"}:
        return torn(name, "it holds no audio or video")
    return Sniffed(name, whole=True)
