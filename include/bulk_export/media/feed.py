"""One stream of a stored file, checked while it is read.

Runs in a converting process only. A file is judged while it is read once, so that a lying header costs no second pass:
a packet marked as damaged, timestamps that leap, an end long before what the header claims: all are faults.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.frame import Frame
from av.packet import Packet
from av.video.stream import VideoStream

from bulk_export.jobs.item_fault import ItemFault
from bulk_export.media.containers.mp3 import holds_counts, without_tags
from bulk_export.media.containers.ogg import missing_pages
from bulk_export.media.faults import MediaLimits, corrupt, too_large, unsupported
from bulk_export.media.plan import TrackKind
from bulk_export.media.probe import MediaPacket, open_media, pick, sniff_file, tracks, unknown_codec, what
from bulk_export.storage.faults import file_faults

# Containers whose header states a duration; elsewhere FFmpeg guesses it from the bit rate or the size.
_STATE_DURATION = frozenset({"webm", "matroska", "mp4", "mov", "asf", "flac"})

# Containers whose timestamps count from the beginning of the recording, not from a broadcast's.
_START_AT_ZERO = frozenset({"webm", "matroska", "mp4", "mov"})

_TAG_SEEN = 64  # the tag or the counts are in sight there

_GAPLESS = frozenset({"wav", "ogg", "mp3", "flac"})

_MAX_LEAP_S = 3600.0

_SLACK_S = 1.0

_SLACK_SHARE = 0.05

_MAX_PIXELS = 8192 * 8192


class Feed:
    """One stream of one stored file, checked while it is read.

    Attributes:
        stream: the stream.
        claimed_s: duration the header states, 0 when it states none.
        origin_s: timestamp that counts as the beginning.
        reached_s: how far the file has been read.
        gapless: True when timestamps of a whole file leave no gaps.
    """

    def __init__(self, path: Path, name: str, kind: TrackKind, limits: MediaLimits) -> None:
        self._name = name
        self._limits = limits
        sniffed = sniff_file(path, name)
        container = sniffed.container
        self._path = path
        self._media = open_media(path, name, to_the_end=sniffed.understated)
        stream = pick(self._media, kind)
        if stream is None:
            raise corrupt(f"{name}: it holds no {kind}")
        if stream.codec_context is None:
            raise unsupported(f"{name}: {unknown_codec(path, stream)}")
        self.stream: AudioStream | VideoStream = stream
        # Every speaker may have a track of its own; of several pictures, players show one.
        self.tracks = tracks(self._media, kind) if kind == "audio" else [stream]
        self._joined = isinstance(stream, AudioStream) and container == "mp3"
        self._check_shape()
        claimed = self._media.duration if container in _STATE_DURATION else None
        self.claimed_s = max((claimed or 0) / av.time_base, sniffed.claimed_s)
        start = (self._media.start_time or 0) / av.time_base
        # FFmpeg calls the last packet of a WAV damaged when the header does not know its size; `sniff` has judged it.
        self._open_ended = container == "wav"
        # Where nothing but audio can stand, a gap between timestamps is a lost part.
        self.gapless = container in _GAPLESS
        self._container = container
        self.origin_s = 0.0 if container in _START_AT_ZERO and 0 <= start < _MAX_LEAP_S else start
        self.reached_s = 0.0
        self._leap_s = 0.0

    def time_of(self, frame: Frame) -> float | None:
        """Seconds from the beginning to a decoded frame, None if unknown."""
        # Frames flushed out of a decoder have a pts in the stream's clock, but no clock of their own.
        if frame.pts is None or self.stream.time_base is None:
            return None
        return float(frame.pts * self.stream.time_base) - self.origin_s

    def check_complaints(self, complaints: Iterable[tuple[int, str, str]]) -> None:
        """Raise a fault for errors that FFmpeg's reader logged.

        It skipped what it could not read: a part is lost.
        """
        reader = self._media.format.name
        for level, logger, message in complaints:
            if level <= av.logging.ERROR and logger == reader:
                raise corrupt(f"{self._name}: a part cannot be read ({message.strip()})")

    def close(self) -> None:
        """Give the file back."""
        self._media.close()

    def reject_false_duration(self) -> None:
        """Raise a fault if the header states more than the longest duration.

        The file is read to where it ends, or to where it is too long. Nothing is decoded or written for it.
        """
        if self.claimed_s <= self._limits.max_duration_s:
            return
        for _ in self.packets():
            pass
        raise too_large(f"{self._name}: {self.claimed_s:.0f} s, the limit is {self._limits.max_duration_s:.0f} s")

    def packets(self) -> Iterator[MediaPacket]:
        """The tracks' packets, then the empty ones that flush a decoder."""
        ends: dict[int, float] = {}
        chosen = {track.index for track in self.tracks}
        last: dict[int, MediaPacket] = {}
        streams = [s for s in self._media.streams if isinstance(s, AudioStream | VideoStream)]
        try:
            for packet in self._media.demux(streams):
                if packet.dts is None and not packet.size:
                    if packet.stream_index in chosen:
                        last[packet.stream_index] = packet
                    continue
                if packet.is_corrupt and not self._open_ended:
                    raise self.fault("a packet is damaged")
                self._follow(packet, ends)
                if packet.stream_index in chosen and (taken := self._clean(packet) if self._joined else packet):
                    yield taken
        except av.FFmpegError as error:
            raise self.fault(f"reading stops with: {what(error)}") from error
        self._check_end(bool(chosen & ends.keys()))
        yield from last.values()

    def gap_is_silence(self) -> bool:
        """Whether gaps between timestamps are parts that were never sent.

        They are where no page of the file is missing.
        """
        if self._container != "ogg":
            return False
        with self._path.open("rb") as file, file_faults("read", str(self._path)):
            return not missing_pages(file)

    def _clean(self, packet: MediaPacket) -> MediaPacket | None:
        """The packet without the tags of an appended file; None where nothing else is in it."""
        data = memoryview(packet)[:_TAG_SEEN].tobytes()
        if data[:1] == b"\xff" and not holds_counts(data):
            return packet
        frame = without_tags(bytes(packet))
        if not frame:
            return None
        cleaned = Packet(frame)
        cleaned.pts, cleaned.dts, cleaned.time_base, cleaned.stream = (
            packet.pts,
            packet.dts,
            packet.time_base,
            packet.stream,
        )
        cleaned.duration = packet.duration
        return cleaned

    def fault(self, detail: str) -> ItemFault:
        """A fault with the place where it was found."""
        return corrupt(f"{self._name}: {detail} after {self.reached_s:.1f} s")

    def _follow(self, packet: MediaPacket, ends: dict[int, float]) -> None:
        """Note how far the file has come; stop at what is too long or leaps."""
        if packet.pts is None or packet.time_base is None:
            ends.setdefault(packet.stream_index, 0.0)
            return
        start = float(packet.pts * packet.time_base) - self.origin_s
        length = float((packet.duration or 0) * packet.time_base)
        leap = max(start - ends.get(packet.stream_index, 0.0), length)
        self._leap_s = max(self._leap_s, leap)
        ends[packet.stream_index] = start + length
        audio_leaps = leap > _MAX_LEAP_S and packet.stream_index == self.stream.index and self.stream.type == "audio"
        if start + length > self._limits.max_duration_s or audio_leaps:
            if self._leap_s > _MAX_LEAP_S:
                raise self.fault(f"timestamps leap by {self._leap_s:.0f} s")
            raise too_large(f"{self._name}: longer than {self._limits.max_duration_s:.0f} s")
        self.reached_s = max(self.reached_s, start + length)

    def _check_end(self, any_packets: bool) -> None:
        if not any_packets:
            raise corrupt(f"{self._name}: it holds no {self.stream.type}")
        slack = max(_SLACK_S, self.claimed_s * _SLACK_SHARE)
        if self.reached_s < self.claimed_s - slack:
            raise corrupt(f"{self._name}: it ends after {self.reached_s:.1f} s and claims {self.claimed_s:.1f} s")

    def _check_shape(self) -> None:
        stream = self.stream
        if isinstance(stream, VideoStream) and stream.width * stream.height > _MAX_PIXELS:
            raise too_large(f"{self._name}: {stream.width} x {stream.height} pixels")
