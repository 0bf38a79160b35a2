"""Every format of the specification, made from every kind of stored file and opened again."""

import struct
import subprocess
import sys
from pathlib import Path

import av
import pytest

AUDIO_SOURCES = {
    # name: (codec, container, rate, channels, extension); wav is written without FFmpeg
    "pcm": ("", "wav", 8000, 1, "wav"),
    "stereo": ("", "wav", 16000, 2, "wav"),
    "mulaw": ("pcm_mulaw", "wav", 8000, 1, "wav"),
    "opus": ("libopus", "ogg", 48000, 1, "ogg"),
    "mp3": ("libmp3lame", "mp3", 8000, 1, "mp3"),
    "webm": ("libopus", "webm", 48000, 2, "webm"),
    "flac": ("flac", "flac", 44100, 1, "flac"),
}
CODEC_OF = {"wav": "pcm_s16le", "mp3": "mp3", "ogg": "opus"}
CLOSE = 0.1


@pytest.fixture
def audio(media, stored):
    def make(name, seconds=1.5):
        codec, container, rate, channels, extension = AUDIO_SOURCES[name]
        path = stored(f"{name}.{extension}")
        if not codec:
            return media.wav(path, seconds, rate, channels)
        return media.audio(path, codec, container, seconds, rate, channels)

    return make


@pytest.mark.parametrize("wanted", ["wav", "mp3", "ogg"])
@pytest.mark.parametrize("name", AUDIO_SOURCES)
def test_audio_becomes_the_wanted_format_with_its_channels_rate_and_length(media, audio, tmp_path, name, wanted):
    source = audio(name)
    outcome = media.convert(wanted, tmp_path / "out", audio=source)
    _, _, rate, channels, _ = AUDIO_SOURCES[name]
    if outcome.verdict == "copy":
        assert (name, wanted) in {("pcm", "wav"), ("stereo", "wav"), ("mp3", "mp3"), ("opus", "ogg")}
        return
    assert outcome.verdict == "built", outcome
    seen = media.look(tmp_path / "out")
    assert (seen.container, seen.audio, seen.channels, seen.video) == (wanted, CODEC_OF[wanted], channels, "")
    assert seen.rate == (48000 if wanted == "ogg" else rate)
    assert seen.audio_s == pytest.approx(1.5, abs=CLOSE)
    assert seen.duration == pytest.approx(1.5, abs=CLOSE)


def test_the_tone_is_still_the_tone(media, audio, tmp_path):
    import numpy as np

    for wanted in ("wav", "mp3", "ogg"):
        media.convert(wanted, tmp_path / "out", audio=audio("mulaw", 2.0))
        with av.open(str(tmp_path / "out")) as opened:
            resampled = av.AudioResampler("flt", "mono", 8000)
            frames = [out for frame in opened.decode(audio=0) for out in resampled.resample(frame)]
        wave = np.concatenate([frame.to_ndarray().ravel() for frame in frames])
        loudest = np.argmax(np.abs(np.fft.rfft(wave))) * 8000 / len(wave)
        assert loudest == pytest.approx(440, abs=3), wanted
        assert np.abs(wave).max() == pytest.approx(9000 / 32768, rel=0.15), wanted


@pytest.mark.parametrize(
    ("rate", "wanted", "kept"), [(11025, "mp3", 11025), (96000, "mp3", 48000), (11025, "wav", 11025)]
)
def test_a_sample_rate_the_codec_lacks_becomes_the_next_one_it_has(media, stored, tmp_path, rate, wanted, kept):
    source = media.audio(stored("a.flac"), "flac", "flac", rate=rate)
    assert media.convert(wanted, tmp_path / "out", audio=source).verdict == "built"
    assert media.look(tmp_path / "out").rate == kept


def test_four_channels_stay_four_where_the_codec_has_them(media, stored, tmp_path):
    source = media.wav(stored("a.wav"), channels=4)
    media.convert("ogg", tmp_path / "ogg", audio=source)
    media.convert("mp3", tmp_path / "mp3", audio=source)
    assert (media.look(tmp_path / "ogg").channels, media.look(tmp_path / "mp3").channels) == (4, 2)


def test_a_pause_between_timestamps_is_silence_in_the_result(media, stored, tmp_path):
    source = media.audio(stored("a.webm"), "libopus", "webm", rate=48000, starts=(0.0, 4.0))
    for wanted in ("wav", "mp3"):
        assert media.convert(wanted, tmp_path / wanted, audio=source).verdict == "built"
        assert media.look(tmp_path / wanted).audio_s == pytest.approx(5.0, abs=CLOSE)


VIDEO_SOURCES = {
    "vp8": ("libvpx", "webm", "webm"),
    "vp9": ("libvpx-vp9", "webm", "webm"),
    "h264": ("libx264", "mp4", "mp4"),
    "h264 in matroska": ("libx264", "matroska", "mkv"),
}
VIDEO_FORMATS = {
    "mp4": ("mov,mp4,m4a,3gp,3g2,mj2", "h264", "aac"),
    "webm": ("matroska,webm", "vp9", "opus"),
    "wmv": ("asf", "wmv2", "wmav2"),
}


@pytest.mark.parametrize("wanted", VIDEO_FORMATS)
@pytest.mark.parametrize("name", VIDEO_SOURCES)
def test_screen_and_audio_become_one_file_as_long_as_the_longer(media, audio, stored, tmp_path, name, wanted):
    codec, container, extension = VIDEO_SOURCES[name]
    screen = media.video(stored(f"s.{extension}"), codec, container)
    outcome = media.convert(wanted, tmp_path / "out", audio=audio("mulaw"), screen=screen)
    assert outcome.verdict == "built", outcome
    seen = media.look(tmp_path / "out")
    assert (seen.container, seen.video, seen.audio) == VIDEO_FORMATS[wanted]
    assert (seen.frames, seen.size, seen.channels) == (5, (64, 48), 1)
    assert seen.audio_s == pytest.approx(1.5, abs=CLOSE)
    assert seen.last_frame_s == pytest.approx(0.8, abs=CLOSE)
    assert seen.duration == pytest.approx(1.5, abs=CLOSE)


@pytest.mark.parametrize("wanted", VIDEO_FORMATS)
def test_a_screen_alone_becomes_a_video_without_an_audio_track(media, stored, tmp_path, wanted):
    screen = media.video(stored("s.webm"), times=(0.0, 0.2, 5.0, 9.0))
    assert media.convert(wanted, tmp_path / "out", screen=screen).verdict == "built"
    seen = media.look(tmp_path / "out")
    assert (seen.container, seen.video, seen.audio) == (*VIDEO_FORMATS[wanted][:2], "")
    assert (seen.frames, seen.last_frame_s) == (4, 9.0)
    assert seen.duration == pytest.approx(9.2, abs=CLOSE)


def test_pictures_and_sound_stay_together(media, stored, tmp_path):
    """A screen that turns white when the tone starts: both happen at 2 s in every format."""
    import numpy as np

    audio = media.audio(stored("a.webm"), "libopus", "webm", rate=48000, starts=(2.0,))
    screen = media.video(stored("s.webm"), times=(0.0, 1.0, 2.0, 2.8))
    for wanted in VIDEO_FORMATS:
        assert media.convert(wanted, tmp_path / "out", audio=audio, screen=screen).verdict == "built"
        with av.open(str(tmp_path / "out")) as opened:
            picture = [float(f.pts * f.time_base) for f in opened.decode(video=0)][2]
        with av.open(str(tmp_path / "out")) as opened:
            first = next(
                float(f.pts * f.time_base) + np.argmax(np.abs(f.to_ndarray()) > 0.05) / f.sample_rate
                for f in opened.decode(audio=0)
                if np.abs(f.to_ndarray()).max() > 0.05
            )
        assert first == pytest.approx(picture, abs=0.05), wanted


@pytest.mark.parametrize("wanted", ["mp4", "wmv"])
def test_odd_sides_get_a_line_more(media, stored, tmp_path, wanted):
    screen = media.video(stored("s.mkv"), "libvpx-vp9", "matroska", size=(65, 47))
    assert media.convert(wanted, tmp_path / "out", screen=screen).verdict == "built"
    assert media.look(tmp_path / "out").size == (66, 48)


def test_other_pixel_formats_become_4_2_0(media, stored, tmp_path):
    screen = media.video(stored("s.mkv"), "libx264", "matroska", pixels="yuv444p")
    assert media.convert("webm", tmp_path / "out", screen=screen).verdict == "built"
    with av.open(str(tmp_path / "out")) as opened:
        assert opened.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_a_screen_that_changes_size_keeps_the_size_it_began_with(media, stored, tmp_path):
    small = media.video(stored("small.webm"), times=(0.0, 0.2))
    large = media.video(stored("large.webm"), times=(0.4, 0.6), size=(96, 64))
    both = stored("both.webm")
    with av.open(str(small)) as first, av.open(str(large)) as second, av.open(str(both), "w") as output:
        stream = output.add_stream_from_template(first.streams.video[0])
        for source in (first, second):
            for packet in source.demux():
                if packet.size:
                    packet.stream = stream
                    output.mux(packet)
    assert media.convert("mp4", tmp_path / "out", screen=both).verdict == "built"
    seen = media.look(tmp_path / "out")
    assert (seen.frames, seen.size) == (4, (64, 48))


@pytest.mark.parametrize(("wanted", "container"), [("ogg", "ogg"), ("webm", "matroska,webm")])
def test_what_fits_is_taken_over_without_loss(media, stored, tmp_path, wanted, container):
    stored_file = media.video(stored("s.mkv"), "libvpx-vp9", "matroska", audio="libopus")
    sources = {"audio": stored_file} if wanted == "ogg" else {"screen": stored_file}
    assert media.convert(wanted, tmp_path / "out", **sources).verdict == "built"
    kind = "audio" if wanted == "ogg" else "video"

    def packets(path):
        with av.open(str(path)) as opened:
            return [bytes(packet) for packet in opened.demux(**{kind: 0}) if packet.size]

    assert packets(tmp_path / "out") == packets(stored_file)
    assert media.look(tmp_path / "out").container == container


def test_a_screens_own_audio_is_used_when_there_is_no_other(media, stored, tmp_path):
    screen = media.video(stored("s.webm"), audio="libopus")
    assert media.convert("mp4", tmp_path / "out", screen=screen).verdict == "built"
    seen = media.look(tmp_path / "out")
    assert (seen.video, seen.audio, seen.frames) == ("h264", "aac", 5)
    assert seen.audio_s == pytest.approx(1.0, abs=CLOSE)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to tell the peak of a process")
def test_memory_does_not_grow_with_the_length(stored, tmp_path):
    program = (
        "import sys; from pathlib import Path\n"
        "from bulk_export.media.conversion import Conversion; from bulk_export.media.faults import MediaLimits\n"
        "from bulk_export.formats.media import MEDIA_FORMATS\n"
        "from bulk_export.media.plan import RequestedFile; from bulk_export.media.convert import convert\n"
        "asked = RequestedFile('media', MEDIA_FORMATS['wav'], ('audio',))\n"
        "done = convert(Conversion(asked, Path(sys.argv[1]), None, Path(sys.argv[2]), MediaLimits()))\n"
        # Not ru_maxrss: that begins with what the test process had when it started this one.
        "print(done.verdict, Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])"
    )
    peaks = []
    for minutes in (1, 60):
        size = minutes * 60 * 8000
        fmt = struct.pack("<HHIIHH", 7, 1, 8000, 8000, 1, 8)
        head = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", size)
        path = stored(f"{minutes}.wav")
        path.write_bytes(b"RIFF" + struct.pack("<I", len(head) + size) + head + b"\x55" * size)
        command = [sys.executable, "-c", program, str(path), str(tmp_path / "out")]
        verdict, peak_kb = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        assert verdict == "built"
        assert (tmp_path / "out").stat().st_size == pytest.approx(2 * size, rel=0.01)
        peaks.append(int(peak_kb))
    assert peaks[1] < peaks[0] + 15_000
