"""Delivered media are what was asked for, whole, for players not written here."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hostile import FORMATS, SECONDS
from pymediainfo import MediaInfo

# What ffprobe calls the container and the codecs; the names of MediaInfo stand beside.
CONTAINERS = {
    "wav": ("wav", "Wave"),
    "mp3": ("mp3", "MPEG Audio"),
    "ogg": ("ogg", "Ogg"),
    "mp4": ("mov,mp4,m4a,3gp,3g2,mj2", "MPEG-4"),
    "webm": ("matroska,webm", "WebM"),
    "wmv": ("asf", "Windows Media"),
}
AUDIO = {"wav": ("pcm_s16le", "PCM"), "mp3": ("mp3", "MPEG Audio"), "ogg": ("opus", "Opus")}
AUDIO |= {"mp4": ("aac", "AAC"), "webm": ("opus", "Opus"), "wmv": ("wmav2", "WMA")}
VIDEO = {"mp4": ("h264", "AVC"), "webm": ("vp9", "VP9"), "wmv": ("wmv2", "WMV2")}

# Encoders add up to a frame at either end; five frames a second.
TOLERANCE_S = 0.3


def expected(folder: Path) -> list[tuple[Path, bool, bool]]:
    """Each file with whether it has sound and whether it has a picture."""
    (audio,), (both,), (screen,) = (list(folder.glob(f"{contact}.*")) for contact in (1, 2, 3))
    return [(audio, True, False), (both, True, True), (screen, False, True)]


@pytest.fixture(params=[" ".join(pair) for pair in FORMATS])
def folder(request: pytest.FixtureRequest, media_runs: dict[str, Path]) -> Path:
    """The delivered media of each pair of formats in turn."""
    return media_runs[request.param]


@pytest.mark.slow
def test_ffprobe_finds_what_was_asked_for(folder: Path, program: Callable[[str, str], str]) -> None:
    ffprobe = program("ffprobe", "ffmpeg")
    for path, sound, picture in expected(folder):
        command = [ffprobe, "-v", "error", "-show_format", "-show_streams", "-of", "json", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout)
        codecs = {stream["codec_type"]: stream["codec_name"] for stream in found["streams"]}
        form = path.suffix[1:]
        assert done.stderr == ""
        assert found["format"]["format_name"] == CONTAINERS[form][0]
        assert codecs == ({"audio": AUDIO[form][0]} if sound else {}) | ({"video": VIDEO[form][0]} if picture else {})
        assert float(found["format"]["duration"]) == pytest.approx(SECONDS, abs=TOLERANCE_S)


def test_ffmpeg_decodes_every_file_to_its_end_without_an_error(
    folder: Path, program: Callable[[str, str], str]
) -> None:
    ffmpeg = program("ffmpeg", "ffmpeg")
    for path, *_ in expected(folder):
        command = [ffmpeg, "-v", "error", "-xerror", "-i", str(path), "-f", "null", "-"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), path


def test_mediainfo_finds_what_was_asked_for(folder: Path) -> None:
    for path, sound, picture in expected(folder):
        found = MediaInfo.parse(path)
        form = path.suffix[1:]
        general = found.general_tracks[0]
        assert general.format == CONTAINERS[form][1]
        assert [track.format for track in found.audio_tracks] == ([AUDIO[form][1]] if sound else [])
        assert [track.format for track in found.video_tracks] == ([VIDEO[form][1]] if picture else [])
        assert float(general.duration) / 1000 == pytest.approx(SECONDS, abs=TOLERANCE_S)
