"""One row here for each row of the tables in `plan.py`."""

import pytest

from bulk_export.definitions.models import MediaFormats
from bulk_export.formats.media import MEDIA_FORMATS
from bulk_export.media.plan import Build, Copy, Probed, RequestedFile, Skip, Track, Unusable, plan, requested_files
from bulk_export.reasons import Reason

NOTHING = ()
NO_MEDIA, NO_SCREEN = Skip(Reason.NO_MEDIA), Skip(Reason.NO_SCREEN)
BOTH = (RequestedFile("media", MEDIA_FORMATS["mp4"], ("audio", "screen")),)
SCREEN = (RequestedFile("media", MEDIA_FORMATS["mp4"], ("screen",)),)
SILENT = (RequestedFile("media", MEDIA_FORMATS["mp4"], ("screen",), silent=True),)
AUDIO = (RequestedFile("media", MEDIA_FORMATS["mp3"], ("audio",)),)
STORED_AUDIO = RequestedFile("media", MEDIA_FORMATS["original"], ("audio",), "-audio")
STORED_SCREEN = RequestedFile("screen", MEDIA_FORMATS["original"], ("screen",), "-screen")
PLAIN_AUDIO = (RequestedFile("media", MEDIA_FORMATS["original"], ("audio",)),)


@pytest.mark.parametrize(
    ("video", "audio", "contact_type", "has_audio", "has_screen", "expected"),
    [
        (None, None, "CALL", True, True, NOTHING),
        (None, None, "CHAT", False, False, NOTHING),
        ("mp4", "mp3", "CHAT", False, False, NO_MEDIA),
        (None, "mp3", "CHAT", False, False, NO_MEDIA),
        ("mp4", None, "CHAT", False, False, NO_MEDIA),
        ("mp4", "mp3", "CALL", True, True, BOTH),
        ("mp4", None, "CALL", True, True, BOTH),
        ("mp4", "mp3", "CALL", False, True, SCREEN),
        ("mp4", "mp3", "SCREEN_ONLY", False, True, SILENT),
        ("mp4", "mp3", "SCREEN_ONLY", True, True, SILENT),
        ("original", "mp3", "CALL", True, True, (STORED_AUDIO, STORED_SCREEN)),
        ("original", None, "CALL", False, True, (STORED_SCREEN,)),
        ("original", None, "SCREEN_ONLY", True, True, (STORED_SCREEN,)),
        ("mp4", "mp3", "CALL", True, False, AUDIO),
        ("original", "original", "CALL", True, False, PLAIN_AUDIO),
        ("mp4", None, "CALL", True, False, NO_SCREEN),
        ("original", None, "CALL", True, False, NO_SCREEN),
        (None, "mp3", "CALL", True, True, AUDIO),
        (None, "mp3", "CALL", True, False, AUDIO),
        (None, "original", "CALL", True, True, PLAIN_AUDIO),
        (None, "mp3", "CALL", False, True, NO_MEDIA),
        (None, "mp3", "SCREEN_ONLY", True, True, NO_MEDIA),
    ],
)
def test_a_contact_gets(video, audio, contact_type, has_audio, has_screen, expected):
    wanted = MediaFormats(audio_video=video, audio_only=audio)
    assert requested_files(contact_type, wanted, has_audio=has_audio, has_screen=has_screen) == expected


def copied(kind, source):
    return Track(kind, source, copied=True)


def encoded(kind, source):
    return Track(kind, source, copied=False)


PCM, MULAW = Probed("wav", "pcm_s16le"), Probed("wav", "pcm_mulaw")
OGG, MP3 = Probed("ogg", "opus"), Probed("mp3", "mp3")
OPUS_IN_WEBM, OPUS_AND_VP8 = Probed("webm", "opus"), Probed("webm", "opus", "vp8")


@pytest.mark.parametrize(
    ("wanted", "audio", "expected"),
    [
        ("original", MULAW, Copy("audio")),
        ("wav", PCM, Copy("audio")),
        ("wav", Probed("wav", "pcm_u8"), Copy("audio")),
        ("ogg", OGG, Copy("audio")),
        ("mp3", MP3, Copy("audio")),
        ("ogg", OPUS_IN_WEBM, Build(MEDIA_FORMATS["ogg"], (copied("audio", "audio"),))),
        ("ogg", OPUS_AND_VP8, Build(MEDIA_FORMATS["ogg"], (copied("audio", "audio"),))),
        ("wav", Probed("matroska", "pcm_s16le"), Build(MEDIA_FORMATS["wav"], (copied("audio", "audio"),))),
        ("wav", MULAW, Build(MEDIA_FORMATS["wav"], (encoded("audio", "audio"),))),
        ("mp3", OPUS_AND_VP8, Build(MEDIA_FORMATS["mp3"], (encoded("audio", "audio"),))),
        ("ogg", Probed("ogg", "vorbis"), Build(MEDIA_FORMATS["ogg"], (encoded("audio", "audio"),))),
        ("ogg", Probed("webm", "", "vp8"), Unusable("audio: it holds no audio")),
    ],
)
def test_an_audio_file_is_made_by(wanted, audio, expected):
    assert plan(RequestedFile("media", MEDIA_FORMATS[wanted], ("audio",)), audio, None) == expected


@pytest.mark.parametrize(
    ("wanted", "silent", "screen", "expected"),
    [
        ("webm", False, Probed("webm", "", "vp9"), Copy("screen")),
        ("webm", False, Probed("webm", "opus", "vp9"), Copy("screen")),
        ("webm", True, Probed("webm", "opus", "vp9"), Build(MEDIA_FORMATS["webm"], (copied("video", "screen"),))),
        ("webm", False, Probed("webm", "", "vp8"), Build(MEDIA_FORMATS["webm"], (encoded("video", "screen"),))),
        ("webm", False, Probed("matroska", "", "vp9"), Build(MEDIA_FORMATS["webm"], (copied("video", "screen"),))),
        ("mp4", False, Probed("mp4", "", "h264"), Copy("screen")),
        ("mp4", False, Probed("mov", "", "h264"), Build(MEDIA_FORMATS["mp4"], (copied("video", "screen"),))),
        (
            "mp4",
            False,
            Probed("mp4", "mp3", "h264"),
            Build(MEDIA_FORMATS["mp4"], (copied("video", "screen"), encoded("audio", "screen"))),
        ),
        ("wmv", False, Probed("asf", "wmav2", "wmv2"), Copy("screen")),
        ("mp4", False, Probed("mp4", "aac", ""), Unusable("screen: it holds no video")),
    ],
)
def test_a_video_of_a_screen_alone_is_made_by(wanted, silent, screen, expected):
    assert plan(RequestedFile("media", MEDIA_FORMATS[wanted], ("screen",), silent=silent), None, screen) == expected


@pytest.mark.parametrize(
    ("wanted", "audio", "screen", "video_copied", "audio_copied"),
    [
        ("webm", OGG, Probed("webm", "", "vp9"), True, True),
        ("webm", PCM, Probed("webm", "", "vp9"), True, False),
        ("webm", PCM, Probed("webm", "", "vp8"), False, False),
        ("mp4", PCM, Probed("webm", "", "vp8"), False, False),
        ("mp4", Probed("mp4", "aac"), Probed("mp4", "aac", "h264"), True, True),
    ],
)
def test_audio_and_screen_are_muxed_from_both_files(wanted, audio, screen, video_copied, audio_copied):
    made = plan(RequestedFile("media", MEDIA_FORMATS[wanted], ("audio", "screen")), audio, screen)
    assert made == Build(
        MEDIA_FORMATS[wanted], (Track("video", "screen", video_copied), Track("audio", "audio", audio_copied))
    )
    assert made.verb == "mux"


def test_the_verbs_tell_remux_from_transcode():
    assert plan(RequestedFile("media", MEDIA_FORMATS["ogg"], ("audio",)), OPUS_IN_WEBM, None).verb == "remux"
    assert plan(RequestedFile("media", MEDIA_FORMATS["ogg"], ("audio",)), PCM, None).verb == "transcode"
