"""Build a media file from tracks of stored ones, each copied or encoded; whatever was decided in `plan.py`.

Runs in a converting process. Tracks are lazy and merged by time, so memory stays flat however long they are.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import av
from av.container import OutputContainer

from bulk_export.media.audio_track import EncodedAudio
from bulk_export.media.encoders import AUDIO_ENCODERS, VIDEO_ENCODERS
from bulk_export.media.faults import MediaLimits
from bulk_export.media.formats import FORMATS
from bulk_export.media.plan import Build, Source, Track
from bulk_export.media.probe import Feed, MediaPacket
from bulk_export.media.video_track import EncodedVideo

_MUXER_OPTIONS = {
    "wav": {"rf64": "auto"},  # beyond 4 GB a WAV needs the long form
}


class _Writer(Protocol):
    def add_to(self, output: OutputContainer) -> None: ...

    def packets(self) -> Iterator[MediaPacket]: ...


class CopiedTrack:
    """A track whose packets are taken over as they are."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def add_to(self, output: OutputContainer) -> None:
        """Create the stream; before the first packet of any track."""
        self._stream = output.add_stream_from_template(self._feed.stream)
        # The tag that names the codec is the old container's.
        self._stream.codec_context.codec_tag = "\0\0\0\0"

    def packets(self) -> Iterator[MediaPacket]:
        """The stored packets, shifted to begin at zero."""
        for packet in self._feed.packets():
            if not packet.size or packet.dts is None or packet.time_base is None:
                continue
            shift = round(self._feed.origin_s / packet.time_base)
            if shift and packet.pts is not None:
                packet.pts -= shift
                packet.dts -= shift
            packet.stream = self._stream
            yield packet


def build(decided: Build, stored: Mapping[Source, Path], into: Path, limits: MediaLimits) -> None:
    """Write the file; raises `MediaFaultError` for what is wrong with a stored one, `OSError` when `into` fails.

    What `into` holds after an error is of no use.
    """
    target = FORMATS[decided.format]
    with ExitStack() as stack:
        writers: list[_Writer] = []
        for track in decided.tracks:
            feed = Feed(stored[track.source], track.source, track.kind, limits)
            stack.callback(feed.close)
            feed.refuse_lies()
            writers.append(_writer(track, feed, decided.format))
        options = _MUXER_OPTIONS.get(decided.format, {})
        output = stack.enter_context(av.open(f"file:{into}", "w", format=target.container, container_options=options))
        for writer in writers:
            writer.add_to(output)
        output.start_encoding()
        for packet in heapq.merge(*(writer.packets() for writer in writers), key=_time):
            output.mux(packet)


def _writer(track: Track, feed: Feed, name: str) -> _Writer:
    if track.copied:
        return CopiedTrack(feed)
    if track.kind == "audio":
        return EncodedAudio(feed, AUDIO_ENCODERS[FORMATS[name].audio])
    return EncodedVideo(feed, VIDEO_ENCODERS[FORMATS[name].video])


def _time(packet: MediaPacket) -> float:
    dts = packet.dts if packet.dts is not None else packet.pts
    return float((dts or 0) * packet.time_base) if packet.time_base is not None else 0.0
