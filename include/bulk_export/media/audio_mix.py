"""Several audio tracks as one.

Recorders write one for each speaker, and players take only the first. Two tracks of one channel become the two channels
of one track; others are added up. Each keeps its place in time.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.filter import Graph
from av.filter.context import FilterContext

from bulk_export.media.feed import Feed
from bulk_export.media.probe import what

_STEREO: Final = 2
# Where a track has a gap in time, silence; where it begins later, silence before.
_IN_TIME = "async=1:first_pts=0"


def mixed_frames(feed: Feed) -> Iterator[AudioFrame]:
    """The frames of all tracks as one, without timestamps.

    A decoding error is a fault, never a shorter file.
    """
    streams = [track for track in feed.tracks if isinstance(track, AudioStream)]
    graph = Graph()
    inputs, sink = _graph(graph, streams)
    try:
        for packet in feed.packets():
            stream = packet.stream
            assert isinstance(stream, AudioStream)
            for frame in stream.codec_context.decode(packet if packet.size else None):
                if frame.is_corrupt:
                    raise feed.fault("audio cannot be decoded")
                if frame.samples:
                    if frame.pts is not None and stream.time_base is not None:
                        frame.pts -= round(feed.origin_s / stream.time_base)
                        frame.time_base = stream.time_base
                    inputs[stream.index].push(frame)
            yield from _ready(sink)
        for entrance in inputs.values():
            entrance.push(None)
        yield from _ready(sink)
    except av.FFmpegError as error:
        raise feed.fault(f"audio cannot be decoded ({what(error)})") from error


def _graph(graph: Graph, streams: list[AudioStream]) -> tuple[dict[int, FilterContext], FilterContext]:
    rate = max(stream.codec_context.sample_rate for stream in streams)
    apart = len(streams) == _STEREO and all(stream.codec_context.channels == 1 for stream in streams)
    layout = "stereo" if apart else max(streams, key=lambda one: one.codec_context.channels).codec_context.layout.name
    mix = graph.add("amix", f"inputs={len(streams)}:duration=longest:normalize=0")
    inputs = {}
    for number, stream in enumerate(streams):
        entrance = graph.add_abuffer(template=stream, time_base=stream.time_base)
        steps = [entrance, graph.add("aresample", f"{rate}:{_IN_TIME}")]
        if apart:
            steps.append(graph.add("pan", f"stereo|c{number}=c0"))
        steps.append(graph.add("aformat", f"sample_fmts=fltp:sample_rates={rate}:channel_layouts={layout}"))
        for before, after in pairwise(steps):
            before.link_to(after)
        steps[-1].link_to(mix, 0, number)
        inputs[stream.index] = entrance
    sink = graph.add("abuffersink")
    mix.link_to(sink)
    graph.configure()
    return inputs, sink


def _ready(sink: FilterContext) -> Iterator[AudioFrame]:
    while True:
        try:
            frame = sink.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, AudioFrame)
        frame.pts = None
        yield frame
