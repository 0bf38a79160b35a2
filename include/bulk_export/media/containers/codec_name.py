"""A file's own name for the codec of a stream."""

from __future__ import annotations

import re
from struct import unpack_from
from typing import Literal

_NAME = re.compile(rb"[\x20-\x7e]{1,40}")
_SAMPLE_ENTRY = 12  # offset of the first entry's type behind `stsd`
_CODEC_ID = b"\x86"


def codec_name(data: bytes, kind: Literal["audio", "video"]) -> str:
    """The codec's name in the file, empty where it is not seen.

    WAV, AVI, MP4, QuickTime and Matroska are read; asked for where no library knows the stream.

    Args:
        data: the bytes that hold the header: the first ones, in an MP4 perhaps the last.
        kind: of the stream.
    """
    if data[:4] == b"RIFF":
        return _of_riff(data, kind)
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return _of_matroska(data, kind)
    return _of_mp4(data, kind)


def _of_riff(data: bytes, kind: str) -> str:
    if data[8:12] == b"WAVE":
        at = data.find(b"fmt ")
        return f"{unpack_from('<H', data, at + 8)[0]:#06x}" if 0 <= at < len(data) - 10 else ""
    marker = b"auds" if kind == "audio" else b"vids"
    at = data.find(b"strh")
    while at >= 0 and data[at + 8 : at + 12] != marker:
        at = data.find(b"strh", at + 4)
    if at < 0:
        return ""
    form = data.find(b"strf", at)
    if kind == "audio":
        return f"{unpack_from('<H', data, form + 8)[0]:#06x}" if 0 <= form < len(data) - 10 else ""
    return _plain(data[form + 24 : form + 28]) if form >= 0 else ""


def _of_mp4(data: bytes, kind: str) -> str:
    handler = b"soun" if kind == "audio" else b"vide"
    at = data.find(b"hdlr")
    while at >= 0 and data[at + 12 : at + 16] != handler:
        at = data.find(b"hdlr", at + 4)
    entries = data.find(b"stsd", at) if at >= 0 else -1
    return _plain(data[entries + 4 + _SAMPLE_ENTRY : entries + 8 + _SAMPLE_ENTRY]) if entries >= 0 else ""


def _of_matroska(data: bytes, kind: str) -> str:
    prefix = b"A_" if kind == "audio" else b"V_"
    at = data.find(_CODEC_ID)
    while at >= 0:
        length = data[at + 1] & 0x7F if at + 1 < len(data) else 0
        name = data[at + 2 : at + 2 + length]
        if name.startswith(prefix):
            return _plain(name)
        at = data.find(_CODEC_ID, at + 1)
    return ""


def _plain(name: bytes) -> str:
    return name.decode("ascii").strip() if _NAME.fullmatch(name) else ""
