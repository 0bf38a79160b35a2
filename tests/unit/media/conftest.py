"""Real media, made small; and what a media library says about a file."""

from __future__ import annotations

import math
import struct
import wave
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import pytest
from av.audio.fifo import AudioFifo

from bulk_export.formats.media import MEDIA_FORMATS
from bulk_export.media.conversion import Conversion, ConversionOutcome
from bulk_export.media.convert import convert
from bulk_export.media.faults import MediaLimits
from bulk_export.media.plan import RequestedFile

TONE_HZ = 440


@cache
def samples(seconds: float, rate: int, channels: int = 1) -> bytes:
    """A tone as 16 bit PCM; each channel an octave above the one before."""
    count = round(seconds * rate)
    values = (
        int(9000 * math.sin(2 * math.pi * TONE_HZ * 2**channel * i / rate))
        for i in range(count)
        for channel in range(channels)
    )
    return struct.pack(f"<{count * channels}h", *values)


def make_wav(path: Path, seconds: float = 1.0, rate: int = 8000, channels: int = 1) -> Path:
    """PCM WAV, written without FFmpeg."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples(seconds, rate, channels))
    return path


def make_long_wav(path: Path, seconds: int, rate: int = 48000, channels: int = 2) -> Path:
    """One second again and again: made at once, and much to convert."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        for _ in range(seconds):
            file.writeframesraw(samples(1.0, rate, channels))
    return path


_LAYOUTS = {1: "mono", 2: "stereo"}


def make_audio(
    path: Path,
    codec: str,
    container: str,
    seconds: float = 1.0,
    rate: int = 8000,
    channels: int = 1,
    starts: tuple[float, ...] = (0.0,),
) -> Path:
    """Audio in any codec and container that FFmpeg writes: so many seconds from each of the times in `starts`."""
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        context = stream.codec_context
        context.layout = _LAYOUTS[channels]
        output.start_encoding()
        for packet in _encoded_audio(stream, seconds, rate, channels, starts):
            output.mux(packet)
    return path


def _encoded_audio(stream, seconds: float, rate: int, channels: int, starts: tuple[float, ...] = (0.0,)):
    context = stream.codec_context
    for start in starts:
        frame = av.AudioFrame("s16", _LAYOUTS[channels], round(seconds * rate))
        frame.planes[0].update(samples(seconds, rate, channels))
        frame.sample_rate = rate
        fifo = AudioFifo()
        for resampled in av.AudioResampler(context.format, context.layout, rate).resample(frame):
            resampled.pts = None
            fifo.write(resampled)
        position = round(start * rate)
        while (piece := fifo.read(context.frame_size or 1024, partial=True)) is not None:
            piece.pts, piece.time_base = position, Fraction(1, rate)
            position += piece.samples
            yield from stream.encode(piece)
    yield from stream.encode(None)


def make_video(
    path: Path,
    codec: str = "libvpx",
    container: str = "webm",
    *,
    times: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8),
    size: tuple[int, int] = (64, 48),
    pixels: str = "yuv420p",
    audio: str = "",
) -> Path:
    """A screen whose shade changes with each frame; with a second of tone when `audio` names a codec."""
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt = *size, pixels
        stream.codec_context.time_base = Fraction(1, 1000)
        sound = output.add_stream(audio, rate=48000) if audio else None
        if sound is not None:
            sound.codec_context.layout = "mono"
        output.start_encoding()
        packets = list(_encoded_video(stream, times, size, pixels))
        if sound is not None:
            packets += _encoded_audio(sound, 1.0, 48000, 1)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            output.mux(packet)
    return path


def _encoded_video(stream, times: tuple[float, ...], size: tuple[int, int], pixels: str):
    for number, time in enumerate(times):
        frame = av.VideoFrame(*size, pixels)
        for plane in frame.planes:
            plane.update(bytes([40 * number % 200 + 20]) * plane.buffer_size)
        frame.pts, frame.time_base, frame.duration = round(time * 1000), Fraction(1, 1000), 200
        yield from stream.encode(frame)
    yield from stream.encode(None)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a player would find in a file."""

    container: str
    duration: float
    audio: str = ""
    audio_s: float = 0.0
    rate: int = 0
    channels: int = 0
    video: str = ""
    frames: int = 0
    last_frame_s: float = 0.0
    size: tuple[int, int] = (0, 0)


def look(path: Path) -> Seen:
    """Decode all of a file."""
    with av.open(str(path)) as media:
        seen: dict[str, object] = {"container": media.format.name, "duration": (media.duration or 0) / 1e6}
        for stream in media.streams:
            if stream.type == "audio":
                with av.open(str(path)) as again:
                    frames = list(again.decode(audio=0))
                seen |= {
                    "audio": stream.codec_context.codec.canonical_name,
                    "audio_s": sum(frame.samples for frame in frames) / stream.rate,
                    "rate": stream.rate,
                    "channels": stream.codec_context.channels,
                }
            else:
                with av.open(str(path)) as again:
                    pictures = list(again.decode(video=0))
                seen |= {
                    "video": stream.codec_context.codec.canonical_name,
                    "frames": len(pictures),
                    "last_frame_s": float((pictures[-1].pts or 0) * pictures[-1].time_base),
                    "size": (pictures[0].width, pictures[0].height),
                }
    return Seen(**seen)


def patch(path: Path, old: bytes, new: bytes, *, last: bool = False) -> Path:
    """Overwrite the first (or last) place of `old` with `new`."""
    data = bytearray(path.read_bytes())
    at = data.rfind(old) if last else data.find(old)
    assert at >= 0, f"{old!r} is not in {path.name}"
    data[at : at + len(new)] = new
    path.write_bytes(data)
    return path


def convert_to(
    wanted: str, into: Path, *, audio: Path | None = None, screen: Path | None = None, **limits
) -> ConversionOutcome:
    """Convert here, in this process."""
    sources = tuple(name for name, path in (("audio", audio), ("screen", screen)) if path)
    return convert(
        Conversion(RequestedFile("media", MEDIA_FORMATS[wanted], sources), audio, screen, into, MediaLimits(**limits))
    )


class Media:
    """Makes and reads media in the test's own directory."""

    wav = staticmethod(make_wav)
    long_wav = staticmethod(make_long_wav)
    audio = staticmethod(make_audio)
    video = staticmethod(make_video)
    look = staticmethod(look)
    samples = staticmethod(samples)
    patch = staticmethod(patch)
    convert = staticmethod(convert_to)


@pytest.fixture
def media() -> type[Media]:
    return Media


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[str], Path]:
    """A path for a stored file."""
    folder = tmp_path / "stored"
    folder.mkdir()
    return lambda name: folder / name
