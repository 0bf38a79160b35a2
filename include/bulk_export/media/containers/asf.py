"""ASF (WMV, WMA): whether the file has the length its header states.

Streams are left to the library.
"""

from __future__ import annotations

from struct import unpack_from

from bulk_export.media.containers.sniffed import Sniffed, Window, truncated

_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_PROPERTIES_BYTES = 104
_BROADCAST = 1


def is_asf(head: bytes) -> bool:
    """Whether the file begins as one."""
    return head.startswith(_HEADER)


def read_asf(window: Window) -> Sniffed:
    """Wholeness; a broadcast does not know its length."""
    at = window.head.find(_FILE_PROPERTIES)
    if at < 0 or len(window.head) < at + _PROPERTIES_BYTES:
        return truncated("asf", "the header is not complete")
    (declared,) = unpack_from("<Q", window.head, at + 40)
    (flags,) = unpack_from("<I", window.head, at + 88)
    if flags & _BROADCAST or not declared:
        return Sniffed("asf")
    if declared > window.size:
        return truncated("asf", f"{window.size} of {declared} bytes are there")
    return Sniffed("asf", whole=True)
