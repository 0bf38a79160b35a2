"""Encode sound and frames: same input, same bytes.

WAV by hand; Ogg Opus, MP3 and WebM by PyAV.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from bulk_export_sample.sound import RATE_HZ

Samples = np.ndarray[tuple[int, ...], np.dtype[np.int16]]
Image = NDArray[np.uint8]

_PCM, _MULAW = 1, 7
# Without it Ogg and WebM get random serial numbers, and the store would differ from run to run.
_REPEATABLE = {"fflags": "+bitexact"}


class AudioFormat(StrEnum):
    """How a contact's audio is stored; the value is the file's extension."""

    PCM = "wav"
    MULAW = "mulaw.wav"
    OPUS = "ogg"
    MP3 = "mp3"

    @property
    def extension(self) -> str:
        """The extension of the file's name."""
        return self.value.rpartition(".")[2]


class ScreenFormat(StrEnum):
    """Codec of a contact's screen video (always WebM)."""

    VP8 = "libvpx"
    VP9 = "libvpx-vp9"


def write_audio(path: Path, sound: Samples, form: AudioFormat) -> None:
    """Write 8 kHz sound of shape (channels, samples)."""
    match form:
        case AudioFormat.PCM:
            data = sound.T.astype("<i2").tobytes()
            path.write_bytes(wav_header(len(data), channels=sound.shape[0]) + data)
        case AudioFormat.MULAW:
            data = _mulaw_table()[sound.T.astype(np.uint16, order="C")].tobytes()
            path.write_bytes(wav_header(len(data), channels=sound.shape[0], mulaw=True) + data)
        case AudioFormat.OPUS:
            _write_encoded(path, sound, "ogg", "libopus", 16_000, {"compression_level": "2", "application": "voip"})
        case AudioFormat.MP3:
            _write_encoded(path, sound, "mp3", "libmp3lame", 24_000, {"compression_level": "7"})


def wav_header(data_bytes: int, *, channels: int, mulaw: bool = False) -> bytes:
    """The bytes before the samples.

    44 for PCM, 58 for mu-law; `data_bytes` must be even.
    """
    width = 1 if mulaw else 2
    rate = struct.pack("<IIHH", RATE_HZ, RATE_HZ * channels * width, channels * width, width * 8)
    form = struct.pack("<HH", _MULAW if mulaw else _PCM, channels) + rate
    if mulaw:  # All but PCM say that nothing follows, and how many samples there are.
        form += struct.pack("<H", 0)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form
    if mulaw:
        chunks += b"fact" + struct.pack("<II", 4, data_bytes // channels)
    chunks += b"data" + struct.pack("<I", data_bytes)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks) + data_bytes) + b"WAVE" + chunks


def write_screen(path: Path, images: Iterable[Image], form: ScreenFormat, *, size: tuple[int, int], fps: int) -> None:
    """Write images as a WebM.

    RGB of shape (height, width, 3); `size` is (width, height).
    """
    with av.open(str(path), "w", format="webm", options=_REPEATABLE) as container:
        stream = container.add_stream(form.value, rate=fps, options={"deadline": "realtime", "cpu-used": "8"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 80_000
        stream.codec_context.thread_count = 1
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def _write_encoded(path: Path, sound: Samples, form: str, codec: str, bit_rate: int, options: dict[str, str]) -> None:
    layout = "stereo" if sound.shape[0] > 1 else "mono"
    with av.open(str(path), "w", format=form, options=_REPEATABLE) as container:
        stream = container.add_stream(codec, rate=RATE_HZ, layout=layout, options=options)
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = bit_rate * sound.shape[0]
        packed = np.ascontiguousarray(sound.T.reshape(1, -1))
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
        frame.sample_rate = RATE_HZ
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@cache
def _mulaw_table() -> Image:
    """The mu-law byte (ITU-T G.711) of every 16-bit sample, by the sample's unsigned bits."""
    samples = np.arange(65_536, dtype=np.uint16).astype(np.int16).astype(np.int64)
    magnitude = np.minimum(np.abs(samples), 32_635) + 132
    exponent = np.floor(np.log2(magnitude)).astype(np.int64) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    sign = np.where(samples < 0, 0x80, 0)
    table: Image = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return table
