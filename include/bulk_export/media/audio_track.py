"""One audio track, decoded, resampled and encoded bit by bit.

Memory does not grow with its length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.format import AudioFormat
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer

from bulk_export.formats.encoders import AudioEncoder
from bulk_export.media import lame
from bulk_export.media.audio_mix import mixed_frames
from bulk_export.media.feed import Feed
from bulk_export.media.probe import MediaPacket, what

# Timestamps are rounded and recorders' clocks drift: only what is further off is a gap to be filled with silence.
_GAP_S = 0.08
_RATES = range(1000, 768_001)
# Layouts that encoders know by number of channels; a WAV of four channels seldom says which.
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 8: "7.1"}


class EncodedAudio:
    """An audio track that is encoded anew."""

    def __init__(self, feed: Feed, encoder: AudioEncoder) -> None:
        self._feed = feed
        self._encoder = encoder
        self._frames = mixed_frames(feed) if len(feed.tracks) > 1 else _decoded(feed)
        first = next(self._frames, None)
        if first is None:
            raise feed.fault("nothing can be decoded")
        self._first: AudioFrame | None = first
        if first.sample_rate not in _RATES:
            raise feed.fault(f"{first.sample_rate} Hz is no sample rate of audio")

    def add_to(self, output: OutputContainer) -> None:
        """Create the stream; before the first packet of any track."""
        assert self._first is not None
        rate = self._encoder.rate_for(self._first.sample_rate)
        channels = len(self._first.layout.channels)
        if self._encoder.max_channels and channels > self._encoder.max_channels:
            channels = min(2, self._encoder.max_channels)
        stream = output.add_stream(self._encoder.name, rate=rate, options=dict(self._encoder.options))
        assert isinstance(stream, AudioStream)
        context = stream.codec_context
        context.layout = _LAYOUTS.get(channels, self._first.layout)
        context.format = self._encoder.sample_format
        context.time_base = Fraction(1, rate)
        bit_rate = self._encoder.bit_rate_for(rate, channels)
        if bit_rate:
            context.bit_rate = bit_rate
        self._stream, self._context, self._rate = stream, context, rate
        self._codec: AudioCodecContext | lame.LameEncoder = context
        self._fed = AudioFormat(
            lame.SAMPLE_FORMAT if self._encoder.lame_quality is not None else self._encoder.sample_format
        )

    @property
    def lead_s(self) -> float:
        """Seconds of packets before the audio's beginning.

        Only where the container cannot express them.
        """
        return self._context.frame_size / self._rate if self._encoder.overlaps else 0.0

    def packets(self) -> Iterator[MediaPacket]:
        """Encoded packets in order; the stream is opened by then."""
        if self._encoder.lame_quality is not None:
            self._codec = lame.LameEncoder(self._context, self._encoder.lame_quality)
        encoded = 0
        for frame in self._samples():
            yield from self._encode(frame, encoded)
            encoded += frame.samples
        end_s = encoded / self._rate
        if self._encoder.overlaps:
            for silence in self._silence(self._context.frame_size / self._rate):
                yield from _until(end_s, self._encode(silence, encoded))
        yield from _until(end_s, self._tagged(self._codec.encode(None)))

    def _encode(self, frame: AudioFrame, position: int) -> Iterator[MediaPacket]:
        # PyAV cuts what it is given into the encoder's own frames.
        frame.pts, frame.time_base = position, Fraction(1, self._rate)
        return self._tagged(self._codec.encode(frame))

    def _tagged(self, packets: Iterable[MediaPacket]) -> Iterator[MediaPacket]:
        for packet in packets:
            packet.stream = self._stream
            yield packet

    def _samples(self) -> Iterator[AudioFrame]:
        """Frames in the encoder's format, gaps between timestamps filled."""
        resampler, shape = None, None
        expected_s, offset_s = 0.0, 0.0
        for frame in self._all_frames():
            start = self._feed.time_of(frame)
            if start is not None:
                gap = start - offset_s - expected_s
                if gap > _GAP_S and self._feed.gapless and not self._feed.gap_is_silence():
                    raise self._feed.fault(f"{gap:.1f} s of audio are missing")
                if gap > _GAP_S:
                    yield from self._silence(gap)
                    expected_s += gap
                elif gap < -_GAP_S:  # a second recording joined to the first, or a clock set back: nothing is dropped
                    offset_s += gap
            expected_s += frame.samples / frame.sample_rate
            now = (frame.format.name, frame.layout.name, frame.sample_rate)
            if resampler is None or now != shape:
                if resampler is not None:
                    yield from resampler.resample(None)
                resampler, shape = AudioResampler(self._fed, self._context.layout, self._rate), now
            frame.pts = None
            yield from resampler.resample(frame)
        if resampler is not None:
            yield from resampler.resample(None)

    def _all_frames(self) -> Iterator[AudioFrame]:
        first, self._first = self._first, None
        if first is not None:
            yield first
        yield from self._frames

    def _silence(self, seconds: float) -> Iterator[AudioFrame]:
        left = round(seconds * self._rate)
        while left > 0:
            samples = min(left, self._rate)
            frame = AudioFrame(self._fed.name, self._context.layout.name, samples)
            frame.sample_rate = self._rate
            for plane in frame.planes:
                plane.update(bytes(plane.buffer_size))
            left -= samples
            yield frame


def _until(end_s: float, packets: Iterator[MediaPacket]) -> Iterator[MediaPacket]:
    """The last packets, none lasting longer than the audio: what encoders add is not part of the duration."""
    for packet in packets:
        if packet.pts is not None and packet.duration:
            packet.duration = max(0, min(packet.duration, round(end_s / packet.time_base) - packet.pts))
        yield packet


def _decoded(feed: Feed) -> Iterator[AudioFrame]:
    """Every frame of the stream; a decoding error is a fault, never a shorter file."""
    context = feed.stream.codec_context
    assert isinstance(context, AudioCodecContext)
    try:
        for packet in feed.packets():
            for frame in context.decode(packet if packet.size else None):
                if isinstance(frame, AudioFrame) and frame.samples:
                    if frame.is_corrupt:
                        raise feed.fault("audio cannot be decoded")
                    yield frame
    except av.FFmpegError as error:
        raise feed.fault(f"audio cannot be decoded ({what(error)})") from error
