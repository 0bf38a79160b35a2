"""MP3 by LAME itself.

The copy of it inside of PyAV takes four times as long for the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import Final

import lameenc
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.codec.context import CodecContext

from bulk_export.media.probe import MediaPacket

SAMPLE_FORMAT = "s16"
"""What it is fed with: 16 bits, channels interleaved."""

# Samples before the sound: LAME's own (ENCDELAY in its source) and a decoder's (528, and one by convention).
_DELAY = 576 + 528 + 1
# FFmpeg's encoder says in the first and in the last packet how much of them is padding. That depends on the number of
# samples alone, so it is asked about as many frames of silence as bring the first packet out, and the odd rest.
_PADDING: Final = "skip_samples"


class LameEncoder:
    """Takes the place of an opened `libmp3lame` context.

    The settings are the same, and so are the packets and their times.

    Args:
        context: FFmpeg's encoder; it is asked what is padding, and encodes nothing else.
        quality: LAME's level, 2 (the best) to 7 (the fastest).
    """

    def __init__(self, context: AudioCodecContext, quality: int) -> None:
        self._context = context
        self._sample_bytes = 2 * len(context.layout.channels)
        self._parser = CodecContext.create("mp3", "r")
        self._samples = 0
        self._next = -_DELAY
        self._first = next(filter(None, map(self._silence, repeat(context.frame_size))))[0]
        self._lame = lameenc.Encoder()
        self._lame.silence()
        self._lame.set_channels(len(context.layout.channels))
        self._lame.set_in_sample_rate(context.sample_rate)
        self._lame.set_out_sample_rate(context.sample_rate)
        self._lame.set_bit_rate((context.bit_rate or 0) // 1000)
        self._lame.set_quality(quality)

    def encode(self, frame: AudioFrame | None) -> list[MediaPacket]:
        """The packets that are ready after a frame; None ends."""
        if frame is not None:
            self._samples += frame.samples
            written = self._lame.encode(bytes(frame.planes[0])[: frame.samples * self._sample_bytes])
            # To the parser, no bytes are the end.
            return self._placed(self._parser.parse(written)) if written else []
        packets = [*self._placed(self._parser.parse(self._lame.flush())), *self._placed(self._parser.parse(None))]
        last = [*self._silence(self._samples % self._context.frame_size), *self._context.encode(None)][-1]
        if packets:
            packets[-1].duration = last.duration
            packets[-1].set_sidedata(last.get_sidedata(_PADDING))
        return packets

    def _placed(self, packets: Iterable[MediaPacket]) -> list[MediaPacket]:
        placed = list(packets)
        if placed and self._next == -_DELAY:
            placed[0].set_sidedata(self._first.get_sidedata(_PADDING))
        for packet in placed:
            packet.time_base = self._context.time_base
            packet.pts = packet.dts = self._next
            packet.duration = self._context.frame_size
            self._next += self._context.frame_size
        return placed

    def _silence(self, samples: int) -> list[MediaPacket]:
        """What FFmpeg's encoder makes of silence."""
        if not samples:
            return []
        frame = AudioFrame(self._context.format.name, self._context.layout.name, samples)
        frame.sample_rate, frame.time_base, frame.pts = self._context.sample_rate, self._context.time_base, None
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        return self._context.encode(frame)
