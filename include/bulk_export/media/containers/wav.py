"""WAV (RIFF, RF64, BW64): format tag, and whether it is whole.

The size in the header of the `data` chunk decides. A program that writes to a pipe cannot know it, and leaves a
placeholder; such a file runs to its end, and nothing in it tells whether that is the end of the recording:

| size in the header | written by |
|---|---|
| 0, 0xFFFFFFFF | most |
| 0x7FFFFFFF, 0x80000000 | programs that count in signed integers |
| one of these less the header, or less a part of a block | programs that leave room for the header |
| 0x7FFFF000 | SoX |
| the size of the file, or that less 8 | programs that put the size of the whole file there |

A recorder that died leaves the size it wrote last, and one that is resumed appends: bytes behind the audio that are no
chunks of RIFF are more audio, or another recording.
"""

from __future__ import annotations

import struct
from struct import unpack_from
from typing import Literal

from bulk_export.media.containers.sniffed import Sniffed, Window, malformed, surplus, truncated

_STREAMING = 0xFFFFFFFF
_LARGEST = (0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_RIFF_HEADER = 8
_CHUNK_HEADER = 8
_RIFFS = (b"RIFF", b"RF64", b"BW64")
_EXTENSIBLE = 0xFFFE
_PCM = 1
_PCM_CODECS = {8: "pcm_u8", 16: "pcm_s16le", 24: "pcm_s24le", 32: "pcm_s32le"}
_CODECS = {
    0x0002: "adpcm_ms",
    0x0003: "pcm_f32le",
    0x0006: "pcm_alaw",
    0x0007: "pcm_mulaw",
    0x0011: "adpcm_ima_wav",
    0x0031: "gsm_ms",
    0x0050: "mp2",
    0x0055: "mp3",
}


def is_wav(head: bytes) -> bool:
    """Whether the file begins as one."""
    return head[:4] in {b"RIFF", b"RF64", b"BW64"} and head[8:12] == b"WAVE"


def read_wav(window: Window) -> Sniffed:
    """Codec and wholeness."""
    head, offset, codec, long_size = window.head, 12, "", 0
    try:
        while True:
            name, length = unpack_from("<4sI", head, offset)
            body = offset + 8
            if name == b"ds64":
                long_size = unpack_from("<Q", head, body + 8)[0]
            elif name == b"fmt ":
                codec = _codec(head, body, length)
                if not codec:
                    return malformed("wav", "no channels or no sample rate")
            elif name == b"data":
                return _judge(window, codec, body, long_size if length == _STREAMING and long_size else length)
            offset = body + length + (length & 1)
    except struct.error:
        if len(head) >= window.size:
            return truncated("wav", "the header ends before any audio")
        return Sniffed("wav", audio=codec)  # a long chunk stands before the audio, out of sight


def _codec(head: bytes, body: int, length: int) -> str:
    tag, channels, rate, _, _, bits = unpack_from("<HHIIHH", head, body)
    if tag == _EXTENSIBLE and length >= 40:
        (tag,) = unpack_from("<H", head, body + 24)
    if not channels or not rate:
        return ""
    return _PCM_CODECS.get(bits, f"pcm_{bits}") if tag == _PCM else _CODECS.get(tag, f"wav_{tag:#06x}")


def _judge(window: Window, codec: str, start: int, declared: int) -> Sniffed:
    if not codec:
        return malformed("wav", "no format before the audio")
    present = window.size - start
    if present <= 0:
        return truncated("wav", "no audio after the header")
    if declared == 0 or _is_placeholder(declared, window, start):
        if declared == 0 and window.at(start, 4) in {b"LIST", b"id3 ", b"fact"}:
            return malformed("wav", "it holds no audio")
        return Sniffed("wav", audio=codec, codecs_known=True)
    if declared > present:
        return truncated("wav", f"{present} of {declared} bytes of audio are there")
    extra = present - declared
    behind = _behind(window, start + declared)
    if behind == "recording":
        return surplus("wav", codec, f"another recording is appended: {extra} bytes more than its header says")
    if behind == "audio":
        return Sniffed("wav", audio=codec, understated=True)
    return Sniffed("wav", audio=codec, codecs_known=True, whole=True)


def _is_placeholder(declared: int, window: Window, start: int) -> bool:
    """Whether the size stands for "unknown"; `start` is the offset of the audio."""
    if declared in {window.size, window.size - _RIFF_HEADER}:
        return True
    return any(0 <= largest - declared <= start + _RIFF_HEADER for largest in _LARGEST)


def _behind(window: Window, end: int) -> Literal["nothing", "chunks", "audio", "recording"]:
    """What follows the audio that the header speaks of; `end` is the offset behind it."""
    offset = end + (end & 1)
    while window.size - offset >= _CHUNK_HEADER:
        header = window.at(offset, _CHUNK_HEADER)
        if len(header) < _CHUNK_HEADER:
            return "chunks"  # out of sight
        name, length = unpack_from("<4sI", header)
        if name in _RIFFS:
            return "recording"
        if not header.strip(b"\0"):
            return "nothing"  # padding of a disk or a tape
        if not name.isascii() or not name.decode().isprintable() or offset + _CHUNK_HEADER + length > window.size:
            return "audio"
        offset += _CHUNK_HEADER + length + (length & 1)
    return "chunks" if offset > end else "nothing"
