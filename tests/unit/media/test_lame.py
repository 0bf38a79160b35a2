"""LAME by itself against FFmpeg's encoder: the same packets, the same times, the same sound."""

from __future__ import annotations

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame

from bulk_export.media.lame import LameEncoder
from bulk_export.media.probe import MediaPacket

LAYOUTS = {1: "mono", 2: "stereo"}


def opened(rate: int, channels: int) -> AudioCodecContext:
    context = av.CodecContext.create("libmp3lame", "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.layout, context.format = rate, LAYOUTS[channels], "s16p"
    context.bit_rate, context.time_base = 32_000 * channels, Fraction(1, rate)
    context.options = {"compression_level": "7"}
    context.open()
    return context


def encoded(encoder: AudioCodecContext | LameEncoder, sound: np.ndarray, rate: int, form: str) -> list[MediaPacket]:
    """A packet list of sound with a row for each channel, handed over in uneven pieces."""
    packets: list[MediaPacket] = []
    for start in range(0, sound.shape[1], 1000):
        piece = sound[:, start : start + 1000]
        samples = np.ascontiguousarray(piece if form == "s16p" else piece.T.reshape(1, -1))
        frame = AudioFrame.from_ndarray(samples, format=form, layout=LAYOUTS[len(sound)])
        frame.sample_rate, frame.time_base, frame.pts = rate, Fraction(1, rate), start
        packets += encoder.encode(frame)
    return [*packets, *encoder.encode(None)]


def heard(packets: list[MediaPacket], like: AudioCodecContext) -> np.ndarray:
    """What players hear of a file of them: without the padding that its header tells of."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp3") as output:
        stream = output.add_stream("libmp3lame", rate=like.sample_rate, layout=like.layout, format="s16p")
        stream.bit_rate = like.bit_rate
        output.start_encoding()
        for packet in packets:
            packet.stream = stream
            output.mux(packet)
    file.seek(0)
    with av.open(file, "r", format="mp3") as stored:
        return np.concatenate([frame.to_ndarray() for frame in stored.decode(audio=0)], axis=1)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
@pytest.mark.parametrize("samples", [575, 576, 1152, 5760, 39_777])
def test_its_packets_are_ffmpegs_in_number_time_padding_and_sound(samples: int, rate: int, channels: int) -> None:
    at = np.arange(samples) / rate
    sound = np.stack([9000 * np.sin(2 * np.pi * (300 + 200 * n) * at) for n in range(channels)]).astype(np.int16)
    theirs = encoded(opened(rate, channels), sound, rate, "s16p")
    ours = encoded(LameEncoder(opened(rate, channels), 7), sound, rate, "s16")

    assert [p.size for p in ours] == [p.size for p in theirs]
    # FFmpeg has its last packet begin where the sound is short of a frame, which a player never sees.
    assert [(p.pts, p.dts) for p in ours[:-1]] == [(p.pts, p.dts) for p in theirs[:-1]]
    mine, reference = heard(ours, opened(rate, channels)), heard(theirs, opened(rate, channels))
    assert mine.shape == reference.shape
    assert np.allclose(mine, reference, atol=0.02)
