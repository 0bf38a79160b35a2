"""The media formats, one object each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bulk_export.formats.encoders import AAC, H264, MP3, OPUS, PCM, VP9, WMA, WMV, AudioEncoder, VideoEncoder
from bulk_export.formats.registry import FormatRegistry

Purpose = Literal["audio_video", "audio_only"]


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """A format that media can be delivered in.

    Attributes:
        key: its name in definitions.
        label: its name on forms and pages.
        serves: the keys of `media` that may ask for it.
        extension: of the delivered file; empty for the stored one's own, as everything below.
        mime_type: of the delivered file.
        container: as `sniff` and FFmpeg's muxers name it.
        audio: encodes audio.
        audio_fits: codecs that already are what was asked for.
        video: encodes video, None for a format of audio only.
        video_fits: codecs that already are what was asked for.
        muxer_options: of FFmpeg's muxer.
    """

    key: str
    label: str
    serves: frozenset[Purpose]
    extension: str = ""
    mime_type: str = ""
    container: str = ""
    audio: AudioEncoder | None = None
    audio_fits: frozenset[str] = frozenset()
    video: VideoEncoder | None = None
    video_fits: frozenset[str] = frozenset()
    muxer_options: Mapping[str, str] = field(default_factory=dict)

    @property
    def as_stored(self) -> bool:
        """Whether stored files are delivered unchanged, whatever they are."""
        return not self.container


_AUDIO_ONLY: frozenset[Purpose] = frozenset({"audio_only"})
_AUDIO_VIDEO: frozenset[Purpose] = frozenset({"audio_video"})

MEDIA_FORMATS = FormatRegistry[MediaFormat](
    "media",
    [
        # `audio/vnd.wave` is the registered name (RFC 2361), and what servers that try to compress `audio/wav` leave
        # alone: one of those spent a tenth of a PUT's processor time on it.
        MediaFormat(
            "wav",
            "WAV (PCM)",
            _AUDIO_ONLY,
            "wav",
            "audio/vnd.wave",
            "wav",
            PCM,
            frozenset({"pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_s32le"}),
            muxer_options={"rf64": "auto"},  # beyond 4 GB a WAV needs the long form
        ),
        MediaFormat("mp3", "MP3", _AUDIO_ONLY, "mp3", "audio/mpeg", "mp3", MP3, frozenset({"mp3"})),
        MediaFormat("ogg", "OGG (Opus)", _AUDIO_ONLY, "ogg", "audio/ogg", "ogg", OPUS, frozenset({"opus"})),
        MediaFormat(
            "mp4",
            "MP4 (H.264, AAC)",
            _AUDIO_VIDEO,
            "mp4",
            "video/mp4",
            "mp4",
            AAC,
            frozenset({"aac"}),
            H264,
            frozenset({"h264"}),
        ),
        MediaFormat(
            "webm",
            "WebM (VP9, Opus)",
            _AUDIO_VIDEO,
            "webm",
            "video/webm",
            "webm",
            OPUS,
            frozenset({"opus"}),
            VP9,
            frozenset({"vp9"}),
        ),
        MediaFormat(
            "wmv",
            "WMV",
            _AUDIO_VIDEO,
            "wmv",
            "video/x-ms-wmv",
            "asf",
            WMA,
            frozenset({"wmav2"}),
            WMV,
            frozenset({"wmv2", "wmv3"}),
        ),
        MediaFormat("original", "As stored", _AUDIO_VIDEO | _AUDIO_ONLY),
    ],
)
