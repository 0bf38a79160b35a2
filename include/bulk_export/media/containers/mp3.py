"""MPEG audio: layer, and whether the file is whole.

It is when it ends with a whole frame and holds what its Xing or Info frame counts.
"""

from __future__ import annotations

from bulk_export.media.containers.sniffed import Sniffed, Window, malformed, truncated

_KBITS_1 = {  # MPEG-1, by layer
    1: (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    2: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
}
_KBITS_2 = {  # MPEG-2 and 2.5
    1: (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    3: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_VERSION_1 = 3
_MONO = 3
_SYNC = 0xFF
_LAYER_3 = 3
_TAG_V1 = 128
_TAG_V2 = 10  # its header, and its footer
_FOOTER = 0x10
_SEARCH = 16 * 1024  # a frame has at most 2,881 bytes: enough for several
_CHAINED = 3


def skip_id3(head: bytes) -> int:
    """Bytes of the ID3v2 tags in front, 0 without any."""
    at = 0
    while head[at : at + 3] == b"ID3" and len(head) >= at + _TAG_V2:
        size = 0
        for byte in head[at + 6 : at + 10]:
            size = size << 7 | byte & 0x7F
        at += _TAG_V2 + size + (_TAG_V2 if head[at + 5] & _FOOTER else 0)
    return at


def frame_bytes(data: bytes, at: int) -> int:
    """Length of the MPEG audio frame at `at`; 0 for none.

    Also 0 for a frame of free format.
    """
    if at + 4 > len(data) or data[at] != _SYNC or data[at + 1] & 0xE0 != 0xE0:
        return 0
    version, layer = data[at + 1] >> 3 & 3, 4 - (data[at + 1] >> 1 & 3)
    bits, rate = data[at + 2] >> 4, data[at + 2] >> 2 & 3
    if version == 1 or layer == 4 or bits in {0, 15} or rate == 3:
        return 0
    hertz = _RATES[version][rate]
    kbits = (_KBITS_1 if version == _VERSION_1 else _KBITS_2)[layer][bits]
    padding = data[at + 2] >> 1 & 1
    if layer == 1:
        return (12_000 * kbits // hertz + padding) * 4
    half = layer == _LAYER_3 and version != _VERSION_1
    return (72_000 if half else 144_000) * kbits // hertz + padding


def without_tags(packet: bytes) -> bytes:
    """The audio frame of a packet, empty where it holds none.

    Files appended to each other bring their ID3 and APE tags into the middle, and their Xing or Info frames, which hold
    no audio.
    """
    at = skip_id3(packet)
    if packet[at : at + 3] == b"TAG":
        at += _TAG_V1
    if packet[at : at + 8] == b"APETAGEX":
        at = max(at, packet.find(b"\xff", at))
    at += skip_id3(packet[at:])
    frame = packet[at:]
    return b"" if frame_bytes(frame, 0) and holds_counts(frame) else frame


def holds_counts(frame: bytes) -> bool:
    """Whether the first frame is one of counts: Xing, Info or VBRI."""
    if len(frame) < _TAG_V2:
        return False
    version, mono = frame[1] >> 3 & 3, frame[3] >> 6 == _MONO
    side = (17 if mono else 32) if version == _VERSION_1 else (9 if mono else 17)
    at = 4 + side + (0 if frame[1] & 1 else 2)
    return frame[at : at + 4] in {b"Xing", b"Info"} or frame[36:40] == b"VBRI"


def is_mp3(window: Window) -> bool:
    """Whether whole frames follow each other from the beginning.

    They may begin behind an ID3 tag.
    """
    head, at = window.head, skip_id3(window.head)
    if at:
        return True
    for _ in range(_CHAINED):
        length = frame_bytes(head, at)
        if not length:
            return False
        at += length
        if at >= len(head):
            return True
    return True


def read_mp3(window: Window) -> Sniffed:
    """Layer and wholeness."""
    head, start = window.head, skip_id3(window.head)
    if start and start >= window.size:
        return truncated("mp3", "nothing after the ID3 tag")
    if start >= len(head):
        return Sniffed("mp3")  # a tag with a large picture: only the library sees the audio
    while start < len(head) and head[start] == 0:
        start += 1  # some writers pad the tag beyond its own size
    if not frame_bytes(head, start):
        # FLAC and AAC files carry ID3 tags too: those the library must open.
        return Sniffed() if head[:3] == b"ID3" and head[start : start + 1] else malformed("mp3", "no audio frame")
    layer = 4 - (head[start + 1] >> 1 & 3)
    end = window.size - (_TAG_V1 if window.tail[-_TAG_V1 : -_TAG_V1 + 3] == b"TAG" else 0)
    counted = _counted_bytes(head, start)
    if counted > end - start:
        return truncated("mp3", f"{end - start} of {counted} bytes of audio are there")
    whole: bool | None = bool(counted) or None
    if not counted and window.tail:
        whole = _ends_on_a_frame(window.tail[: len(window.tail) - (window.size - end)])
        if whole is False:
            return truncated("mp3", "the last frame is not complete")
    return Sniffed("mp3", audio=f"mp{layer}", codecs_known=True, whole=whole)


def _counted_bytes(head: bytes, start: int) -> int:
    """Bytes of audio that the Xing/Info frame counts, 0 without one."""
    version, mono = head[start + 1] >> 3 & 3, head[start + 3] >> 6 == _MONO
    side = (17 if mono else 32) if version == _VERSION_1 else (9 if mono else 17)
    at = start + 4 + side + (0 if head[start + 1] & 1 else 2)
    if head[at : at + 4] not in {b"Xing", b"Info"}:
        return 0
    flags = head[at + 7] if len(head) > at + 7 else 0
    at += 8 + (4 if flags & 1 else 0)
    return int.from_bytes(head[at : at + 4], "big") if flags & 2 else 0


def _ends_on_a_frame(data: bytes) -> bool | None:
    """Whether the frames near the end lead exactly to it; None when no chain of frames is seen."""
    at = max(0, len(data) - _SEARCH)
    while (at := data.find(b"\xff", at)) >= 0:
        reached, links = at, 0
        while length := frame_bytes(data, reached):
            reached, links = reached + length, links + 1
        if reached == len(data):
            return True
        if links >= _CHAINED:
            # Anything may follow the last frame (tags, padding), but not the beginning of another one.
            return False if reached > len(data) or data[reached] == _SYNC else None
        at += 1
    return None
