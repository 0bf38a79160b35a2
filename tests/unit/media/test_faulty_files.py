"""Lying headers, damage and limits: a reason, soon, and never hours of silence."""

import struct

import pytest

from bulk_export.reasons import Reason

FIVE_DAYS_S = 432_000.0


def assert_corrupt(outcome, *words):
    assert (outcome.verdict, outcome.reason) == ("fault", Reason.MEDIA_CORRUPT), outcome
    for word in words:
        assert word in outcome.detail


def claim_in_webm(media, path, seconds):
    """Overwrite the Duration element (milliseconds as a double)."""
    return media.patch(path, b"\x44\x89\x88", b"\x44\x89\x88" + struct.pack(">d", seconds * 1000))


def claim_in_mp4(media, path, seconds):
    """Overwrite the durations of film, track and media; the clocks of our own files are 1000 and 16000."""
    data = bytearray(path.read_bytes())
    for box, at in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        start = data.index(box)
        clock = 1000 if box == b"tkhd" else struct.unpack_from(">I", data, start + 16)[0]
        struct.pack_into(">I", data, start + at, min(int(seconds * clock), 0xFFFFFFFF))
    path.write_bytes(data)
    return path


@pytest.mark.faults("rows")
def test_a_wav_that_claims_four_gigabytes_is_corrupt(media, stored, tmp_path):
    path = media.wav(stored("a.wav"))
    media.patch(path, b"data", b"data" + struct.pack("<I", 0xFFFFFF00))
    assert_corrupt(media.convert("mp3", tmp_path / "out", audio=path), "cut off: 16000 of 4294967040 bytes")


def test_a_wav_written_to_a_pipe_is_as_long_as_its_audio(media, stored, tmp_path):
    path = media.wav(stored("a.wav"))
    media.patch(path, b"data", b"data" + struct.pack("<I", 0xFFFFFFFF))
    assert media.convert("mp3", tmp_path / "out", audio=path).verdict == "built"
    assert media.look(tmp_path / "out").duration == pytest.approx(1.0, abs=0.1)


@pytest.mark.faults("rows")
@pytest.mark.parametrize("seconds", [60.0, FIVE_DAYS_S])
def test_a_webm_that_claims_more_than_it_holds_is_corrupt(media, stored, tmp_path, seconds):
    audio = claim_in_webm(media, media.audio(stored("a.webm"), "libopus", "webm", rate=48000), seconds)
    screen = claim_in_webm(media, media.video(stored("s.webm")), seconds)
    said = f"ends after 1.0 s and claims {seconds:.1f} s"
    assert_corrupt(media.convert("mp3", tmp_path / "out", audio=audio), "audio: ", said)
    assert_corrupt(media.convert("ogg", tmp_path / "out", audio=audio), "audio: ", said)  # remux
    assert_corrupt(media.convert("mp4", tmp_path / "out", screen=screen), "screen: ", said)
    assert (tmp_path / "out").stat().st_size < 100_000


@pytest.mark.faults("rows")
@pytest.mark.parametrize("seconds", [60.0, FIVE_DAYS_S])
def test_an_mp4_that_claims_more_than_it_holds_is_corrupt(media, stored, tmp_path, seconds):
    screen = claim_in_mp4(media, media.video(stored("s.mp4"), "libx264", "mp4"), seconds)
    assert_corrupt(media.convert("webm", tmp_path / "out", screen=screen), "ends after 1.0 s and claims")


@pytest.mark.faults("rows")
def test_frames_days_apart_are_corrupt_and_no_days_are_made(media, stored, tmp_path):
    screen = media.video(stored("s.webm"), times=(0.0, FIVE_DAYS_S))
    audio = media.audio(stored("a.webm"), "libopus", "webm", rate=48000, starts=(0.0, FIVE_DAYS_S))
    for wanted in ("mp4", "webm", "wmv"):
        assert_corrupt(media.convert(wanted, tmp_path / "out", screen=screen), "timestamps leap by 43")
    for wanted in ("wav", "mp3", "ogg"):
        assert_corrupt(media.convert(wanted, tmp_path / "out", audio=audio), "timestamps leap by 43")
    assert (tmp_path / "out").stat().st_size < 100_000


@pytest.mark.faults("rows")
def test_hours_of_silence_between_two_sounds_are_corrupt(media, stored, tmp_path):
    audio = media.audio(stored("a.webm"), "libopus", "webm", rate=48000, starts=(0.0, 7200.0))
    assert_corrupt(media.convert("wav", tmp_path / "out", audio=audio), "timestamps leap by 7199 s")


@pytest.mark.faults("rows")
@pytest.mark.parametrize("wanted", ["mp3", "ogg"])
def test_what_is_truly_too_long_is_too_large(media, stored, tmp_path, wanted):
    path = media.audio(stored("a.webm"), "libopus", "webm", seconds=5.0, rate=48000)
    outcome = media.convert(wanted, tmp_path / "out", audio=path, max_duration_s=3.0)
    assert (outcome.verdict, outcome.reason) == ("fault", Reason.MEDIA_TOO_LARGE)
    assert outcome.detail == "audio: longer than 3 s"


@pytest.mark.faults("rows")
def test_a_long_stream_without_a_claim_is_stopped_where_it_is_too_long(media, stored, tmp_path):
    path = media.audio(stored("a.mp3"), "libmp3lame", "mp3", seconds=5.0)
    outcome = media.convert("wav", tmp_path / "out", audio=path, max_duration_s=3.0)
    assert outcome.reason == Reason.MEDIA_TOO_LARGE


def damaged(path, first=0.4, last=0.6):
    data = bytearray(path.read_bytes())
    for at in range(int(len(data) * first), int(len(data) * last)):
        data[at] ^= 0x5A
    path.write_bytes(data)
    return path


@pytest.mark.faults("rows")
@pytest.mark.parametrize(
    ("codec", "container", "rate", "wanted"),
    [
        ("libopus", "ogg", 48000, "mp3"),
        ("libopus", "webm", 48000, "mp3"),
        ("libmp3lame", "mp3", 8000, "wav"),
        ("flac", "flac", 16000, "wav"),
    ],
)
def test_damage_in_the_middle_is_corrupt_and_never_a_shorter_file(
    media, stored, tmp_path, codec, container, rate, wanted
):
    path = damaged(media.audio(stored(f"a.{container}"), codec, container, 5.0, rate))
    assert_corrupt(media.convert(wanted, tmp_path / "out", audio=path), "audio: ")


@pytest.mark.faults("rows")
@pytest.mark.parametrize(("codec", "container"), [("libvpx", "webm"), ("libx264", "mp4"), ("libx264", "matroska")])
def test_a_damaged_screen_is_corrupt(media, stored, tmp_path, codec, container):
    times = tuple(number / 5 for number in range(25))
    path = damaged(media.video(stored("s.bin"), codec, container, times=times, size=(320, 240)))
    assert_corrupt(media.convert("wmv", tmp_path / "out", screen=path), "screen: ")


@pytest.mark.faults("rows")
def test_a_header_with_nothing_behind_it_is_corrupt(media, stored, tmp_path):
    path = stored("a.flac")
    path.write_bytes(media.audio(stored("b.flac"), "flac", "flac").read_bytes()[:60])
    assert_corrupt(media.convert("wav", tmp_path / "out", audio=path))


@pytest.mark.faults("rows")
@pytest.mark.parametrize(
    "text",
    [
        b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"\xff\xfe#\0E\0X\0T\0M\0",
        bytes(range(128, 256)) * 50,
    ],
)
def test_lists_of_other_files_and_noise_are_never_opened_as_media(media, stored, tmp_path, text):
    path = stored("a.wav")
    path.write_bytes(text)
    assert_corrupt(media.convert("mp3", tmp_path / "out", audio=path))


def test_a_file_that_lacks_what_it_is_there_for_is_corrupt(media, stored, tmp_path):
    silent, blind = media.video(stored("s.webm")), media.audio(stored("a.webm"), "libopus", "webm", rate=48000)
    assert_corrupt(media.convert("mp3", tmp_path / "out", audio=silent), "audio: it holds no audio")
    assert_corrupt(media.convert("mp4", tmp_path / "out", screen=blind), "screen: it holds no video")


@pytest.mark.faults("rows")
def test_the_stored_file_may_vanish(media, tmp_path):
    outcome = media.convert("mp3", tmp_path / "out", audio=tmp_path / "gone.wav")
    assert (outcome.verdict, outcome.reason) == ("fault", Reason.MEDIA_MISSING)


@pytest.mark.faults("disk")
def test_scratch_that_cannot_be_written_is_no_fault_of_the_file(media, stored, tmp_path):
    outcome = media.convert("mp3", tmp_path / "nowhere" / "out", audio=media.wav(stored("a.wav")))
    assert (outcome.verdict, outcome.reason) == ("failed", None)
