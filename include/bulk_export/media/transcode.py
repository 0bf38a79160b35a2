"""Build a media file from tracks of stored ones, as `plan` decided.

Runs in a converting process. Tracks are lazy and merged by time, so memory stays flat however long they are.
"""

from __future__ import annotations

import errno
import heapq
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import av
from av.container import OutputContainer

from bulk_export.formats.media import MediaFormat
from bulk_export.media.audio_track import EncodedAudio
from bulk_export.media.faults import MediaLimits
from bulk_export.media.feed import Feed
from bulk_export.media.plan import Build, Source, Track
from bulk_export.media.probe import MediaPacket
from bulk_export.media.video_track import EncodedVideo
from bulk_export.storage.faults import scratch_error

_MAX_REORDERED = 32
# What FFmpeg says of packets that do not fit.
_MUXERS_OWN = frozenset({errno.EINVAL, errno.ENOMEM, errno.ENOSYS, errno.ERANGE, errno.EDOM, errno.EAGAIN})


class _Writer(Protocol):
    @property
    def lead_s(self) -> float: ...

    def add_to(self, output: OutputContainer) -> None: ...

    def packets(self) -> Iterator[MediaPacket]: ...


class CopiedTrack:
    """A track whose packets are taken over as they are."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def add_to(self, output: OutputContainer) -> None:
        """Create the stream; before the first packet of any track."""
        self._stream = output.add_stream_from_template(self._feed.stream)

    @property
    def lead_s(self) -> float:
        """Seconds of packets before the beginning: none."""
        return 0.0

    def packets(self) -> Iterator[MediaPacket]:
        """The stored packets, shifted to begin at zero."""
        # Matroska has no decoding times; FFmpeg makes them up, but not for the packets before the first B frame.
        waiting: list[MediaPacket] = []
        for packet in self._feed.packets():
            if not packet.size:
                continue
            if packet.dts is None and len(waiting) < _MAX_REORDERED:
                waiting.append(packet)
                continue
            yield from self._ready(waiting, packet)
            waiting = []
            yield self._moved(packet)
        yield from self._ready(waiting, None)

    def _ready(self, waiting: list[MediaPacket], following: MediaPacket | None) -> Iterator[MediaPacket]:
        """Give packets decoding times that end before the next known one."""
        if not waiting:
            return
        step = max(1, *(packet.duration or 0 for packet in waiting))
        if following is not None and following.dts is not None:
            first = following.dts - step * len(waiting)
        else:
            first = min(packet.pts or 0 for packet in waiting)
        for number, packet in enumerate(waiting):
            packet.dts = first + step * number
            if packet.pts is None or packet.pts < packet.dts:
                packet.pts = packet.dts
            yield self._moved(packet)

    def _moved(self, packet: MediaPacket) -> MediaPacket:
        shift = round(self._feed.origin_s / packet.time_base)
        if shift and packet.pts is not None and packet.dts is not None:
            packet.pts -= shift
            packet.dts -= shift
        packet.stream = self._stream
        return packet


def build(decided: Build, stored: Mapping[Source, Path], into: Path, limits: MediaLimits) -> None:
    """Write the file.

    What `into` holds after an error is of no use.

    Raises:
        ItemFault: something is wrong with a stored file.
        TransientError: `into` cannot be written.
    """
    target = decided.format
    av.logging.set_level(av.logging.ERROR)
    av.logging.set_skip_repeated(False)  # what was said of the file before counts for this one too
    with ExitStack() as stack:
        complaints = stack.enter_context(_complaints())
        feeds: list[Feed] = []
        writers: list[_Writer] = []
        for track in decided.tracks:
            feed = Feed(stored[track.source], track.source, track.kind, limits)
            stack.callback(feed.close)
            feed.reject_false_duration()
            feeds.append(feed)
            writers.append(_writer(track, feed, target))
        options = dict(target.muxer_options)
        output = stack.enter_context(av.open(f"file:{into}", "w", format=target.container, container_options=options))
        for writer in writers:
            writer.add_to(output)
        _writing(output.start_encoding, into)
        lead_s = max(writer.lead_s for writer in writers)
        # A call of an hour has 50,000 packets: what is not needed is not done for each.
        packets = (writer.packets() for writer in writers)
        for packet in heapq.merge(*packets, key=_time) if len(writers) > 1 else next(packets):
            _writing(output.mux, into, _later(packet, lead_s) if lead_s else packet)
        for feed in feeds:
            feed.check_complaints(complaints)
        _writing(output.close, into)


def _writing(act: Callable[..., object], into: Path, *packet: MediaPacket) -> None:
    """Do what writes: an operating system's error is one of the scratch file, and not of what is converted."""
    try:
        act(*packet)
    except av.FFmpegError as error:
        if isinstance(error, OSError) and error.errno not in _MUXERS_OWN:
            raise scratch_error(error, into) from error
        raise


@contextmanager
def _complaints() -> Iterator[list[tuple[int, str, str]]]:
    """What FFmpeg logs meanwhile: (level, who, what)."""
    with av.logging.Capture() as logs:
        yield logs


def _writer(track: Track, feed: Feed, target: MediaFormat) -> _Writer:
    if track.copied:
        return CopiedTrack(feed)
    if track.kind == "audio" and target.audio is not None:
        return EncodedAudio(feed, target.audio)
    if track.kind == "video" and target.video is not None:
        return EncodedVideo(feed, target.video)
    raise LookupError(f"the media format '{target.key}' has no encoder for {track.kind}")


def _later(packet: MediaPacket, lead_s: float) -> MediaPacket:
    """Make room for what an audio encoder puts before the beginning: all tracks alike, so that they stay together.

    Only the first picture keeps its place and stands that much longer, for a file that begins at zero.
    """
    shift = round(lead_s / packet.time_base)
    first_picture = packet.stream.type == "video" and packet.pts == 0
    if shift and packet.pts is not None and packet.dts is not None and not first_picture:
        packet.pts += shift
        packet.dts += shift
    return packet


def _time(packet: MediaPacket) -> float:
    dts = packet.dts if packet.dts is not None else packet.pts
    return float((dts or 0) * packet.time_base) if packet.time_base is not None else 0.0
