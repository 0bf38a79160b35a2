"""One video track, decoded, shown as players do, and encoded.

What a player would do with the stored file is done to the pictures, since not every target can say it: they are turned
and mirrored as the display matrix has it, and pixels that are not square are stretched to square ones.
Timestamps are the stored ones.
Frames are neither doubled nor dropped: a screen that does not change for a minute is one frame, in and out.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from struct import unpack_from
from typing import Any

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.filter import Graph
from av.sidedata.sidedata import Type
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from bulk_export.formats.encoders import VideoEncoder
from bulk_export.media.feed import Feed
from bulk_export.media.probe import MediaPacket, what

_CLOCK = Fraction(1, 1000)  # fine enough for WebM and WMV, whose own clock it is
_DEFAULT_RATE = Fraction(10)
_RATES = (Fraction(1), Fraction(60))
_KEY_FRAME_S = 10
_END_SLACK_S = 0.05
_MATRIX_BYTES = 36
# Signs of the display matrix' first two rows (a point's new x is a x + c y, its new y is b x + d y, y downwards).
_TURNS: dict[tuple[int, ...], list[tuple[str, str]]] = {
    (-1, 0, 0, -1): [("hflip", ""), ("vflip", "")],
    (0, 1, -1, 0): [("transpose", "clock")],
    (0, -1, 1, 0): [("transpose", "cclock")],
    (-1, 0, 0, 1): [("hflip", "")],
    (1, 0, 0, -1): [("vflip", "")],
    (0, 1, 1, 0): [("transpose", "cclock_flip")],
    (0, -1, -1, 0): [("transpose", "clock_flip")],
}


class EncodedVideo:
    """A video track that is encoded anew."""

    def __init__(self, feed: Feed, encoder: VideoEncoder) -> None:
        self._feed = feed
        self._encoder = encoder
        self._frames = _decoded(feed)
        first = next(self._frames, None)
        if first is None:
            raise feed.fault("nothing can be decoded")
        self._first: VideoFrame | None = first
        stream = feed.stream
        assert isinstance(stream, VideoStream)
        self._pixel_shape = stream.sample_aspect_ratio or Fraction(1)
        self._turn = display_filters(first)
        width, height = self._shown_size(first)
        # x264 and 4:2:0 need even sides: an odd one gets a line more, nothing is cut off.
        self._width, self._height = width + width % 2, height + height % 2

    def add_to(self, output: OutputContainer) -> None:
        """Create the stream; before the first packet of any track."""
        source = self._feed.stream
        guessed = source.average_rate or source.guessed_rate or _DEFAULT_RATE
        # PyAV 19 has a rational type of its own.
        exact = Fraction(guessed.numerator, guessed.denominator)
        rate = min(max(exact, _RATES[0]), _RATES[1]).limit_denominator(1001)
        stream = output.add_stream(self._encoder.name, rate=rate, options=dict(self._encoder.options))
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = self._width, self._height, "yuv420p"
        context.time_base = _CLOCK
        context.gop_size = max(10, int(rate * _KEY_FRAME_S))
        context.thread_count = 1  # files are converted in parallel, not one file
        if self._encoder.quantiser:
            context.flags |= Flags.qscale
            context.global_quality = self._encoder.quantiser * 118  # FF_QP2LAMBDA
        stream.time_base = _CLOCK
        self._stream, self._context, self._frame_s = stream, context, float(1 / rate)

    @property
    def lead_s(self) -> float:
        """Seconds of packets before the beginning: none."""
        return 0.0

    def packets(self) -> Iterator[MediaPacket]:
        """Encoded packets in decoding order; the stream is opened by then."""
        shape, graph, last_pts, frame = None, None, -1, None
        for decoded in self._all_frames():
            now = (decoded.width, decoded.height, decoded.format.name)
            if graph is None or now != shape:
                graph, shape = self._graph(decoded), now
            start = self._feed.time_of(decoded)
            if start is None:
                start = last_pts / 1000 + self._frame_s
            frame = _through(graph, decoded)
            last_pts = max(last_pts + 1, round(start * 1000))
            yield from self._encode(frame, last_pts)
        if frame is not None:
            # A still screen may end long after its last change: the last frame once more makes the file that long.
            end = round((self._feed.reached_s - self._frame_s) * 1000)
            if end - last_pts > (self._frame_s + _END_SLACK_S) * 1000:
                yield from self._encode(frame, end)
        for packet in self._context.encode(None):
            packet.stream = self._stream
            yield packet

    def _encode(self, frame: VideoFrame, pts: int) -> Iterator[MediaPacket]:
        frame.pts, frame.time_base, frame.duration = pts, _CLOCK, max(1, round(self._frame_s * 1000))
        frame.pict_type = 0  # the source's key frames are not the new file's
        for packet in self._context.encode(frame):
            packet.stream = self._stream
            yield packet

    def _graph(self, frame: VideoFrame) -> Graph:
        """Filters from the frame's size and pixels to the track's: a shared screen changes its size in mid-call."""
        graph = Graph()
        source = graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_CLOCK)
        size = f"{self._width}:{self._height}"
        steps = [source]
        steps += [graph.add(name, options) for name, options in self._turn]
        width, height = self._shown_size(frame)
        if self._pixel_shape != 1:
            steps += [graph.add("scale", f"{width}:{height}"), graph.add("setsar", "1")]
        if width > self._width or height > self._height:
            steps.append(graph.add("scale", f"{size}:force_original_aspect_ratio=decrease"))
        if (width, height) != (self._width, self._height):
            steps.append(graph.add("pad", f"{size}:0:0"))
        steps += [graph.add("format", "yuv420p"), graph.add("buffersink")]
        graph.link_nodes(*steps).configure()
        return graph

    def _shown_size(self, frame: VideoFrame) -> tuple[int, int]:
        """Width and height of a frame in square pixels, turned; nothing is made smaller."""
        width, height = frame.width, frame.height
        if self._pixel_shape > 1:
            width = round(width * self._pixel_shape)
        elif self._pixel_shape < 1:
            height = round(height / self._pixel_shape)
        return (height, width) if any(name == "transpose" for name, _ in self._turn) else (width, height)

    def _all_frames(self) -> Iterator[VideoFrame]:
        first, self._first = self._first, None
        if first is not None:
            yield first
        yield from self._frames


def display_filters(frame: VideoFrame) -> list[tuple[str, str]]:
    """The filters that turn and mirror a frame for display.

    None for a matrix that asks for anything else.
    """
    found: Any = frame.side_data  # typed as a mapping of names; a sequence, too
    data = next((bytes(one) for one in found if one.type == Type.DISPLAYMATRIX), b"")
    if len(data) < _MATRIX_BYTES:
        return []
    a, b, _, c, d = unpack_from("<5i", data)
    signs = tuple((value > 0) - (value < 0) for value in (a, b, c, d))
    return _TURNS.get(signs, [])


def _through(graph: Graph, frame: VideoFrame) -> VideoFrame:
    frame.pts, frame.time_base = None, _CLOCK
    graph.push(frame)
    out = graph.pull()
    assert isinstance(out, VideoFrame)
    return out


def _decoded(feed: Feed) -> Iterator[VideoFrame]:
    """Every frame of the stream; a decoding error is a fault, never a shorter file."""
    context = feed.stream.codec_context
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    try:
        for packet in feed.packets():
            for frame in context.decode(packet if packet.size else None):
                if frame.is_corrupt:
                    raise feed.fault("video cannot be decoded")
                yield frame
    except av.FFmpegError as error:
        raise feed.fault(f"video cannot be decoded ({what(error)})") from error
