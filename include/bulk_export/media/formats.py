"""The formats a receiver can ask for, and the file names that media may have."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """What a file of a format holds.

    Attributes:
        container: as `sniff` names it.
        extension: of the delivered file.
        audio: codec to encode audio with, as FFmpeg names codecs.
        audio_fits: codecs that already are what was asked for.
        video: codec to encode video with, empty for audio only formats.
        video_fits: codecs that already are what was asked for.
    """

    container: str
    extension: str
    audio: str
    audio_fits: frozenset[str]
    video: str = ""
    video_fits: frozenset[str] = frozenset()


FORMATS = {
    "wav": Format("wav", "wav", "pcm_s16le", frozenset({"pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_s32le"})),
    "mp3": Format("mp3", "mp3", "mp3", frozenset({"mp3"})),
    "ogg": Format("ogg", "ogg", "opus", frozenset({"opus"})),
    "mp4": Format("mp4", "mp4", "aac", frozenset({"aac"}), "h264", frozenset({"h264"})),
    "webm": Format("webm", "webm", "opus", frozenset({"opus"}), "vp9", frozenset({"vp9"})),
    "wmv": Format("asf", "wmv", "wmav2", frozenset({"wmav2"}), "wmv2", frozenset({"wmv2", "wmv3"})),
}

# Extensions a stored file of a container may keep; the first one is given where its own is none of them.
_EXTENSIONS = {
    "wav": ("wav",),
    "ogg": ("ogg", "oga", "opus", "ogv", "spx"),
    "mp3": ("mp3", "mp2", "mpga"),
    "webm": ("webm",),
    "matroska": ("mkv", "mka"),
    "mp4": ("mp4", "m4a", "m4v", "3gp", "3g2"),
    "mov": ("mov", "qt"),
    "asf": ("wmv", "wma", "asf"),
    "flac": ("flac",),
    "amr": ("amr",),
    "caf": ("caf",),
    "au": ("au", "snd"),
    "flv": ("flv",),
    "avi": ("avi",),
    "aiff": ("aiff", "aif", "aifc"),
}
_OTHERS = frozenset({"aac", "adts", "ac3", "ts", "mts", "mpg", "mpeg"})
_KNOWN = _OTHERS.union(*_EXTENSIONS.values())
_NO_EXTENSION = "bin"


def stored_extension(container: str, uri: str) -> str:
    """The extension for a stored file delivered unchanged: what its bytes say, else the uri's where that is known.

    Nothing of a uri but one of the known extensions ever enters a name.
    """
    _, dot, given = uri.rpartition("/")[2].rpartition(".")
    given = given.lower() if dot else ""
    family = _EXTENSIONS.get(container)
    if family:
        return given if given in family else family[0]
    return given if given in _KNOWN else _NO_EXTENSION
