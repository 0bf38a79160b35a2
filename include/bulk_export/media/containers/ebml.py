"""WebM and Matroska (EBML): document type, and whether it is whole.

Streams are left to the library.
"""

from __future__ import annotations

from bulk_export.media.containers.sniffed import Sniffed, Window, malformed, truncated

_EBML, _SEGMENT, _CLUSTER, _DOC_TYPE = 0x1A45DFA3, 0x18538067, 0x1F43B675, b"\x42\x82"
_TOP = {0x114D9B74, 0x1549A966, 0x1654AE6B, _CLUSTER, 0x1C53BB6B, 0x1043A770, 0x1254C367, 0x1941A469, 0xEC, 0xBF}
# A live recording writes clusters without a size; their blocks then stand as if they were top elements.
_IN_CLUSTER = {0xE7, 0xA3, 0xA0, 0xA7, 0xAB, 0x5854}


def is_ebml(head: bytes) -> bool:
    """Whether the file begins as one."""
    return head.startswith(b"\x1a\x45\xdf\xa3")


def read_ebml(window: Window) -> Sniffed:
    """Document type and wholeness."""
    header = _element(window.head, 0)
    if header is None or header[2] is None:
        return truncated("webm", "the header is not complete")
    name = "webm" if _DOC_TYPE + b"\x84webm" in window.head[: header[1] + header[2]] else "matroska"
    segment = _element(window.head, header[1] + header[2])
    if segment is None or segment[0] != _SEGMENT:
        return truncated(name, "nothing after the header") if segment is None else malformed(name, "no segment")
    _, body, length = segment
    if length is not None and body + length > window.size:
        return truncated(name, f"{window.size} of {body + length} bytes are there")
    fault = _walk(window, body)
    if fault:
        return truncated(name, fault)
    return Sniffed(name, whole=True if length is not None else None)


def _walk(window: Window, offset: int) -> str:
    """What is wrong with the elements from `offset` as far as they are seen; empty when nothing is."""
    clusters = 0
    while offset < window.size:
        element = _element(window.head, offset)
        if element is None:
            return "" if len(window.head) < window.size else "the last element is not complete"
        name, body, length = element
        if name not in _TOP and name not in _IN_CLUSTER:
            return f"no known element at byte {offset}"
        clusters += name == _CLUSTER
        offset = body if length is None else body + length
    if offset > window.size:
        return "the last element is not complete"
    return "" if clusters else "it holds no audio or video"


def _element(data: bytes, at: int) -> tuple[int, int, int | None] | None:
    """(id, offset of the body, length or None when left open) of the element at `at`; None when it is not all seen."""
    if at >= len(data) or not data[at]:
        return None if at >= len(data) else (0, at + 1, 0)
    id_bytes = 9 - data[at].bit_length()
    at_size = at + id_bytes
    if at_size >= len(data):
        return None
    if not data[at_size]:
        return 0, at_size, 0
    size_bytes = 9 - data[at_size].bit_length()
    if at_size + size_bytes > len(data):
        return None
    length = int.from_bytes(data[at_size : at_size + size_bytes], "big") & ((1 << 7 * size_bytes) - 1)
    unknown = length == (1 << 7 * size_bytes) - 1
    return int.from_bytes(data[at:at_size], "big"), at_size + size_bytes, None if unknown else length
