"""Open stored media with PyAV: its streams and its packets, checked.

Runs in a converting process only. A file is judged while it is read once, so that a lying header costs no second pass:
a packet marked as damaged, timestamps that leap, an end long before what the header claims: all are faults.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from bulk_export.media.containers.codec_name import codec_name
from bulk_export.media.containers.sniffed import Sniffed
from bulk_export.media.faults import corrupt, unsupported
from bulk_export.media.plan import Probed, TrackKind
from bulk_export.media.sniff import sniff, window_of
from bulk_export.storage.faults import file_faults

MediaPacket: TypeAlias = "Packet[Stream]"

# No demuxer that opens further files or addresses (hls, concat, dash, image sequences) may ever be chosen.
_FORMATS = (
    "wav,w64,ogg,mp3,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,asf,avi,"
    "flac,aiff,caf,au,amr,amrnb,amrwb,aac,ac3,flv,mpegts,mpeg"
)
# FFmpeg cuts a WAV into packets of 64 ms; each costs as much as encoding it. Other demuxers have no such option.
_WAV_PACKET_BYTES = 8192
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file", "max_size": str(_WAV_PACKET_BYTES)}

# Tags in old encodings must not make a file unreadable; from PyAV 19 on they never do.
_TAGS: Any = {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}


def open_media(path: Path, name: str, *, to_the_end: bool = False) -> InputContainer:
    """The file, opened for reading.

    Args:
        path: of the file.
        name: of the fault: audio or screen.
        to_the_end: read a WAV as far as it goes, whatever its header says.
    """
    options = _OPTIONS | ({"ignore_length": "1"} if to_the_end else {})
    try:
        # `file:` keeps a path from being taken for an address.
        opened = av.open(f"file:{path}", "r", container_options=options, **_TAGS)
    except MemoryError as error:
        raise corrupt(f"{name}: opening it takes too much memory") from error
    except (av.FFmpegError, ValueError) as error:
        raise corrupt(f"{name}: not readable as media ({what(error)})") from error
    assert isinstance(opened, InputContainer)
    return opened


def sniff_file(path: Path, name: str) -> Sniffed:
    """What the bytes say; a fault when the file is not whole."""
    with path.open("rb") as stream, file_faults("read", str(path)):

        def more(offset: int, length: int) -> bytes:
            stream.seek(offset)
            return stream.read(length)

        sniffed = sniff(window_of(stream, path.stat().st_size, more))
    if sniffed.fault:
        raise corrupt(f"{name}: {sniffed.fault}")
    return sniffed


def probe(path: Path, name: str) -> Probed:
    """The streams of a stored file."""
    sniffed = sniff_file(path, name)
    with open_media(path, name, to_the_end=sniffed.understated) as media:
        audio, video = pick(media, "audio"), pick(media, "video")
        if audio is None and video is None:
            raise corrupt(f"{name}: it holds neither audio nor video")
        for stream in (audio, video):
            if stream is not None and stream.codec_context is None:
                raise unsupported(f"{name}: {unknown_codec(path, stream)}")
        return Probed(
            sniffed.container,
            _codec(audio),
            _codec(video),
            audio_tracks=len(heard := tracks(media, "audio")) or 1,
            mono=all(isinstance(one, AudioStream) and one.codec_context.channels == 1 for one in heard),
            understated=sniffed.understated,
            shape_outside=isinstance(video, VideoStream) and _shape_is_outside(video),
        )


def tracks(media: InputContainer, kind: TrackKind) -> list[AudioStream | VideoStream]:
    """The streams of a kind, without cover pictures, in the file's order."""
    return [
        stream
        for stream in media.streams
        if isinstance(stream, AudioStream | VideoStream)
        and stream.type == kind
        and not stream.disposition & Disposition.attached_pic
    ]


def pick(media: InputContainer, kind: TrackKind) -> AudioStream | VideoStream | None:
    """The stream that players would take."""
    streams = tracks(media, kind)
    return next((s for s in streams if s.disposition & Disposition.default), streams[0] if streams else None)


def _shape_is_outside(stream: VideoStream) -> bool:
    """Whether only the container says that pixels are not square: a copied track would lose it."""
    shown, coded = stream.sample_aspect_ratio or 1, stream.codec_context.sample_aspect_ratio or 1
    return shown != coded


def unknown_codec(path: Path, stream: AudioStream | VideoStream) -> str:
    """What to say of a codec that FFmpeg does not know.

    The name that the file has for it, where that is found.
    """
    kind: TrackKind = "audio" if isinstance(stream, AudioStream) else "video"
    with path.open("rb") as file, file_faults("read", str(path)):
        window = window_of(file, path.stat().st_size)
    found = codec_name(window.head, kind) or codec_name(window.tail, kind)
    return f"the codec of its {kind} is not known" + (f" (tag {found})" if found else "")


def what(error: Exception) -> str:
    """FFmpeg's words for an error, without the file's path."""
    return getattr(error, "strerror", None) or type(error).__name__


def _codec(stream: AudioStream | VideoStream | None) -> str:
    if stream is None:
        return ""
    context = stream.codec_context
    # `mp3float`, `libopus`: decoders; the codec's own name is what formats speak of.
    return (context.codec.canonical_name if context is not None else "") or "unknown"
