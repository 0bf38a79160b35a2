"""Decide what a contact's media become.

Pure: formats and streams come in, decisions go out; others obey.

Two questions. `requested_files`: which files shall the contact get (docs/definitions.md, `media`)?

| wanted video / audio format | contact has | gets |
|---|---|---|
| none / none | anything | nothing at all, no result |
| any | neither | skip NO_MEDIA |
| V / any | screen and audio | one file in V, audio and screen in one |
| V / any | screen only, or type SCREEN_ONLY | one file in V; a SCREEN_ONLY contact's has no audio track |
| original / any | screen and audio | both stored files unchanged: `<id>-audio.<ext>`, `<id>-screen.<ext>` |
| original / any | screen only, or type SCREEN_ONLY | the stored file unchanged: `<id>-screen.<ext>` |
| V or original / A | audio only | one file in A |
| V or original / none | audio only | skip NO_SCREEN |
| none / A | audio, with or without screen | one file in A |
| none / A | screen only, or type SCREEN_ONLY | skip NO_MEDIA |

`plan`: how is one of those files made from what is stored?

| stored | made by |
|---|---|
| anything, `original` asked for | Copy |
| one file, container and codecs are what was asked for | Copy, byte for byte |
| one file, codecs are, container is not (or a track must go) | Build, all tracks copied: *remux* |
| one file, a codec is not | Build, that track encoded: *transcode* |
| audio and screen | Build from both, each track copied where its codec fits, else encoded: *mux* |
| audio file without audio, screen file without video | Unusable |

An audio file that also holds video gives just its audio; a screen file's own audio is used where the contact has no
audio file and is not SCREEN_ONLY.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bulk_export.formats.media import MEDIA_FORMATS, MediaFormat
from bulk_export.reasons import Reason

if TYPE_CHECKING:  # a converting process never needs the definitions, and would wait for pydantic
    from bulk_export.definitions.models import MediaFormats

Source = Literal["audio", "screen"]
TrackKind = Literal["audio", "video"]

_SCREEN_ONLY = "SCREEN_ONLY"


@dataclass(frozen=True, slots=True)
class RequestedFile:
    """One file a contact shall get.

    Attributes:
        kind: of its result; `screen` only for a stored screen delivered unchanged.
        format: of the file.
        sources: the stored files it is made from.
        suffix: of the name, between contact id and extension.
        silent: True when it must not have an audio track.
    """

    kind: Literal["media", "screen"]
    format: MediaFormat
    sources: tuple[Source, ...]
    suffix: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Skip:
    """The contact gets no media, and that is right."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Probed:
    """The streams of a stored file.

    Attributes:
        container: as `sniff` names it.
        audio: codec as FFmpeg names it, empty for none.
        video: likewise.
        audio_tracks: how many there are; a recorder may write one for each speaker.
        mono: True when each of them has one channel.
        understated: True when there is more audio than the header says.
        shape_outside: True when only the container says that the video's pixels are not square.
    """

    container: str
    audio: str = ""
    video: str = ""
    audio_tracks: int = 1
    mono: bool = True
    understated: bool = False
    shape_outside: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """Deliver the stored file byte for byte."""

    source: Source


@dataclass(frozen=True, slots=True)
class Track:
    """One track of a file to build, copied or encoded."""

    kind: TrackKind
    source: Source
    copied: bool


@dataclass(frozen=True, slots=True)
class Build:
    """Write a new file from tracks of the stored ones."""

    format: MediaFormat
    tracks: tuple[Track, ...]

    @property
    def verb(self) -> Literal["remux", "transcode", "mux"]:
        """What it is called."""
        if len({track.source for track in self.tracks}) > 1:
            return "mux"
        return "remux" if all(track.copied for track in self.tracks) else "transcode"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A stored file lacks the stream it is there for."""

    detail: str


def requested_files(
    contact_type: str, wanted: MediaFormats, *, has_audio: bool, has_screen: bool
) -> tuple[RequestedFile, ...] | Skip:
    """Which files a contact shall get; none when none was requested."""
    if contact_type == _SCREEN_ONLY:
        has_audio = False
    if wanted.audio_video is None and wanted.audio_only is None:
        return ()
    if not has_audio and not has_screen:
        return Skip(Reason.NO_MEDIA)
    if has_screen and wanted.audio_video is not None:
        video = MEDIA_FORMATS[wanted.audio_video]
        sources: tuple[Source, ...] = ("audio", "screen") if has_audio else ("screen",)
        if video.as_stored:
            return tuple(
                RequestedFile("media" if source == "audio" else "screen", video, (source,), f"-{source}")
                for source in sources
            )
        return (RequestedFile("media", video, sources, silent=contact_type == _SCREEN_ONLY),)
    if wanted.audio_only is None:
        return Skip(Reason.NO_SCREEN)
    if not has_audio:
        return Skip(Reason.NO_MEDIA)
    return (RequestedFile("media", MEDIA_FORMATS[wanted.audio_only], ("audio",)),)


def plan(requested: RequestedFile, audio: Probed | None, screen: Probed | None) -> Copy | Build | Unusable:
    """How the requested file is made.

    Args:
        requested: the file.
        audio: the stored audio file, None when it is no source of the file.
        screen: the stored screen file, likewise.
    """
    target = requested.format
    if target.as_stored:
        return Copy(requested.sources[0])
    tracks: list[Track] = []
    if screen is not None:
        if not screen.video:
            return Unusable("screen: it holds no video")
        fits = screen.video in target.video_fits and not screen.shape_outside
        tracks.append(Track("video", "screen", copied=fits))
    if audio is not None:
        if not audio.audio:
            return Unusable("audio: it holds no audio")
        tracks.append(Track("audio", "audio", copied=_audio_fits(audio, target)))
    elif screen is not None and screen.audio and not requested.silent:
        tracks.append(Track("audio", "screen", copied=_audio_fits(screen, target)))
    build = Build(target, tuple(tracks))
    stored = audio if screen is None else screen
    if len({track.source for track in tracks}) == 1 and stored is not None and _is_exactly(stored, target, build):
        return Copy(tracks[0].source)
    return build


def _audio_fits(stored: Probed, target: MediaFormat) -> bool:
    """Whether its audio may be copied into the format: several tracks are mixed into one."""
    return stored.audio in target.audio_fits and stored.audio_tracks == 1


def _is_exactly(stored: Probed, target: MediaFormat, build: Build) -> bool:
    """Whether the stored file is the one to build: same container, same codecs, and no track that one would lack."""
    kinds = {track.kind for track in build.tracks}
    surplus = (stored.audio and "audio" not in kinds) or (stored.video and "video" not in kinds)
    audio_fits = not stored.audio or stored.audio in target.audio_fits
    video_fits = not stored.video or stored.video in target.video_fits
    same = stored.container == target.container and audio_fits and video_fits
    return same and not surplus and not stored.understated
