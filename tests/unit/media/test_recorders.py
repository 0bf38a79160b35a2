"""What recorders leave: sizes never filled in, pauses not sent, a track for each speaker, turned screens."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from bulk_export.media.containers.sniffed import Window
from bulk_export.media.sniff import sniff
from bulk_export.reasons import Reason

HEADER = 44  # bytes of a plain WAV's header
TARGETS = ["wav", "mp3", "ogg"]


def sniffed(data, catalogue_bytes=None):
    return sniff(Window(data, data, len(data)), catalogue_bytes)


def declare(path, size):
    """Write a size into the header of the `data` chunk."""
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, HEADER - 4, size)
    path.write_bytes(data)
    return path


def built(media, wanted, into, path):
    outcome = media.convert(wanted, into, audio=path)
    if outcome.verdict == "copy":
        return media.look(path)
    assert outcome.verdict == "built", outcome
    return media.look(into)


PLACEHOLDERS = [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
PLACEHOLDERS += [top - less for top in (0x7FFFFFFF, 0xFFFFFFFF) for less in (36, 37, 44)]


@pytest.mark.parametrize("size", PLACEHOLDERS, ids=hex)
def test_a_wav_with_a_placeholder_for_its_size_is_as_long_as_its_audio(media, stored, tmp_path, size):
    path = declare(media.wav(stored("a.wav")), size)
    assert sniffed(path.read_bytes()).whole is None
    assert built(media, "mp3", tmp_path / "out", path).audio_s == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("less", [0, 8])
def test_a_wav_that_declares_the_size_of_the_file_is_as_long_as_its_audio(media, stored, tmp_path, less):
    path = media.wav(stored("a.wav"))
    declare(path, path.stat().st_size - less)
    assert built(media, "ogg", tmp_path / "out", path).audio_s == pytest.approx(1.0, abs=0.1)


def test_a_wav_of_unknown_size_is_cut_off_where_the_catalogue_knows_of_more(media, stored):
    data = declare(media.wav(stored("a.wav")), 0x7FFFF000).read_bytes()
    assert sniffed(data, len(data)).fault == ""
    assert sniffed(data, len(data) + 1).fault.startswith("cut off")


@pytest.mark.parametrize("wanted", TARGETS)
def test_a_wav_longer_than_its_header_says_is_converted_whole(media, stored, tmp_path, wanted):
    path = declare(media.wav(stored("a.wav"), seconds=5.0), 16_000)
    assert built(media, wanted, tmp_path / "out", path).audio_s == pytest.approx(5.0, abs=0.2)
    assert media.look(tmp_path / "out").audio_s == pytest.approx(5.0, abs=0.2), "a new file, with a true header"


def test_a_wav_behind_a_wav_is_said_and_not_left_out(media, stored, tmp_path):
    path = media.wav(stored("a.wav"))
    path.write_bytes(path.read_bytes() + media.wav(stored("b.wav"), seconds=4.0).read_bytes())
    outcome = media.convert("mp3", tmp_path / "out", audio=path)
    assert (outcome.verdict, outcome.reason) == ("fault", Reason.MEDIA_CORRUPT)
    assert "another recording is appended: 64044 bytes more than its header says" in outcome.detail


@pytest.mark.parametrize(
    "behind",
    [b"", b"\0" * 512, b"LIST\x04\0\0\0INFO", b"id3 \x02\0\0\0ab", b"abcd\x03\0\0\0abc\0fact\x04\0\0\0abcd", b"\r\n"],
    ids=["nothing", "zeros", "LIST", "id3", "odd chunk", "line break"],
)
def test_chunks_and_padding_behind_the_audio_are_no_audio(media, stored, tmp_path, behind):
    path = media.wav(stored("a.wav"))
    path.write_bytes(path.read_bytes() + behind)
    assert sniffed(path.read_bytes()).whole is True
    assert built(media, "mp3", tmp_path / "out", path).audio_s == pytest.approx(1.0, abs=0.1)


def pages(data):
    """The pages of an Ogg file."""
    found = []
    while data:
        segments = data[26]
        end = 27 + segments + sum(data[27 : 27 + segments])
        found.append(bytearray(data[:end]))
        data = data[end:]
    return found


def checked(page):
    """The page with the check sum that RFC 3533 asks for."""
    page[22:26] = bytes(4)
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    page[22:26] = struct.pack("<I", crc)
    return bytes(page)


def opus(media, path, **options):
    return media.audio(path, "libopus", "ogg", rate=48000, **options)


def test_an_ogg_whose_end_is_not_marked_is_converted(media, stored, tmp_path):
    path = opus(media, stored("a.ogg"))
    found = pages(path.read_bytes())
    found[-1][5] &= ~4
    path.write_bytes(b"".join(map(checked, found)))
    assert sniffed(path.read_bytes()).whole is None
    assert built(media, "mp3", tmp_path / "out", path).audio_s == pytest.approx(1.0, abs=0.1)


def paused(media, path):
    """Two seconds of Opus, a page for each packet, of which the second half stands a second later than it should."""
    short_pages = {"page_duration": "20000"}
    with (
        av.open(str(opus(media, path.with_suffix(".src"), seconds=2.0))) as source,
        av.open(str(path), "w", format="ogg", container_options=short_pages) as output,
    ):
        stream = output.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    found = pages(path.read_bytes())
    for page in found[len(found) // 2 :]:
        granule = struct.unpack_from("<q", page, 6)[0]
        struct.pack_into("<q", page, 6, granule + 48_000)
    return found


@pytest.mark.parametrize("wanted", ["wav", "mp3"])
def test_a_pause_that_was_not_sent_is_silence(media, stored, tmp_path, wanted):
    path = stored("a.ogg")
    path.write_bytes(b"".join(map(checked, paused(media, path))))
    assert built(media, wanted, tmp_path / "out", path).audio_s == pytest.approx(3.0, abs=0.15)


def test_a_page_that_was_lost_is_no_pause(media, stored, tmp_path):
    path = stored("a.ogg")
    found = paused(media, path)
    del found[len(found) // 2]
    path.write_bytes(b"".join(map(checked, found)))
    outcome = media.convert("wav", tmp_path / "out", audio=path)
    assert (outcome.verdict, outcome.reason) == ("fault", Reason.MEDIA_CORRUPT)
    assert "s of audio are missing" in outcome.detail


@pytest.mark.parametrize("between", [b"", b"TAG" + bytes(125)], ids=["nothing", "ID3v1"])
@pytest.mark.parametrize("wanted", ["wav", "ogg"])
def test_mp3s_appended_to_each_other_are_one(media, stored, tmp_path, between, wanted):
    one = media.audio(stored("one.mp3"), "libmp3lame", "mp3", seconds=2.0, rate=16000).read_bytes()
    assert b"Info" in one or b"Xing" in one
    path = stored("a.mp3")
    path.write_bytes(one + between + one)
    assert built(media, wanted, tmp_path / "out", path).audio_s == pytest.approx(4.1, abs=0.3)


def tone_track(output, codec, hertz, seconds, rate=48000):
    """(stream, packets) of a tone; the packets are made when the output has begun."""
    stream = output.add_stream(codec, rate=rate)
    stream.codec_context.layout = "mono"

    def packets():
        time = np.arange(round(seconds * rate)) / rate
        wave = (9000 * np.sin(2 * np.pi * hertz * time)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(wave[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        yield from stream.encode(frame)
        yield from stream.encode(None)

    return packets


def speakers(path, codec, container, tracks):
    """One audio track for each (tone, seconds)."""
    with av.open(str(path), "w", format=container) as output:
        made = [tone_track(output, codec, hertz, seconds) for hertz, seconds in tracks]
        output.start_encoding()
        packets = [packet for packets in made for packet in packets()]
        for packet in sorted(packets, key=lambda one: one.dts * one.time_base):
            output.mux(packet)
    return path


def tones(path, wanted):
    """Which of the tones are heard on any channel."""
    heard = set()
    with av.open(str(path)) as media:
        rate = media.streams.audio[0].rate
        frames = [av.AudioResampler("fltp", None, None).resample(frame) for frame in media.decode(audio=0)]
    samples = np.concatenate([frame.to_ndarray() for some in frames for frame in some], axis=1)
    for channel in samples:
        half = channel[rate // 4 : rate // 4 + rate]
        for hertz in wanted:
            wave = np.exp(-2j * np.pi * hertz * np.arange(len(half)) / rate)
            if 2 * abs(np.dot(half, wave)) / len(half) > 0.05:
                heard.add(hertz)
    return heard


@pytest.mark.parametrize("wanted", TARGETS)
@pytest.mark.parametrize(("codec", "container"), [("aac", "mp4"), ("libopus", "webm")])
@pytest.mark.parametrize("tracks", [((440, 2), (1000, 3)), ((440, 3), (1000, 2), (2500, 2))], ids=["two", "three"])
def test_every_audio_track_is_heard(stored, media, tmp_path, codec, container, tracks, wanted):
    path = speakers(stored("a"), codec, container, tracks)
    outcome = media.convert(wanted, tmp_path / "out", audio=path)
    assert outcome.verdict == "built", outcome
    assert media.look(tmp_path / "out").audio_s == pytest.approx(3.0, abs=0.2)
    assert tones(tmp_path / "out", [440, 1000, 2500]) == {hertz for hertz, _ in tracks}


def turned(media, path, degrees, codec="libx264", container="mp4", pixels="yuv420p"):
    """A screen, dark on its left half, that players turn."""
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 32, pixels
        stream.set_display_rotation(degrees)
        for number in range(5):
            picture = np.full((32, 64, 3), 220, np.uint8)
            picture[:, :32] = 20
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


def shades(path):
    """Mean brightness of the left, right, upper and lower halves of the first picture."""
    with av.open(str(path)) as media:
        grey = next(media.decode(video=0)).to_ndarray(format="gray")
    height, width = grey.shape
    halves = grey[:, : width // 2], grey[:, width // 2 :], grey[: height // 2], grey[height // 2 :]
    return (width, height), [round(float(half.mean())) for half in halves]


@pytest.mark.parametrize("wanted", ["webm", "wmv"])
@pytest.mark.parametrize(
    ("degrees", "size", "dark"), [(90, (32, 64), 3), (-90, (32, 64), 2), (180, (64, 32), 1), (0, (64, 32), 0)]
)
def test_a_turned_screen_is_turned_as_players_show_it(media, stored, tmp_path, wanted, degrees, size, dark):
    path = turned(media, stored("s.mp4"), degrees)
    assert media.convert(wanted, tmp_path / "out", screen=path).verdict == "built"
    shown, brightness = shades(tmp_path / "out")
    assert shown == size
    assert brightness.index(min(brightness)) == dark and min(brightness) < 60


def test_a_turned_screen_that_is_encoded_into_mp4_is_not_turned_twice(media, stored, tmp_path):
    path = turned(media, stored("s.mov"), 90, codec="mpeg4", container="mov")
    assert media.convert("mp4", tmp_path / "out", screen=path).verdict == "built"
    assert shades(tmp_path / "out")[0] == (32, 64)
    with av.open(str(tmp_path / "out")) as made:
        assert next(made.decode(video=0)).rotation == 0


@pytest.mark.parametrize("wanted", ["webm", "wmv", "mp4"])
@pytest.mark.parametrize(("shape", "size"), [((2, 1), (128, 48)), ((4, 3), (86, 48)), ((1, 2), (64, 96))])
def test_pixels_that_are_not_square_are_stretched(media, stored, tmp_path, wanted, shape, size):
    path = stored("s.mkv")
    with av.open(str(path), "w", format="matroska") as output:
        stream = output.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(*shape)
        for number in range(5):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([128]) * plane.buffer_size)
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert media.convert(wanted, tmp_path / "out", screen=path).verdict == "built"
    assert media.look(tmp_path / "out").size == size


def test_a_codec_that_nothing_knows_is_named(media, stored, tmp_path):
    path = media.wav(stored("a.wav"))
    media.patch(path, b"fmt \x10\0\0\0\x01\0", b"fmt \x10\0\0\0\x33\x01")
    outcome = media.convert("mp3", tmp_path / "out", audio=path)
    assert (outcome.verdict, outcome.reason) == ("fault", Reason.MEDIA_UNSUPPORTED)
    assert outcome.detail == "audio: the codec of its audio is not known (tag 0x0133)"


@pytest.mark.parametrize(
    ("make", "name", "there", "tag"),
    [
        (lambda media, path: media.video(path, "libx264", "mp4"), "s.mp4", b"avc1", b"zz9v"),
        (lambda media, path: media.video(path, "mpeg4", "avi"), "s.avi", b"FMP4", b"ZZ9V"),
        (lambda media, path: media.video(path, "libvpx", "webm"), "s.webm", b"V_VP8", b"V_ZZ9"),
    ],
    ids=["mp4", "avi", "webm"],
)
def test_a_picture_codec_that_nothing_knows_is_named(media, stored, tmp_path, make, name, there, tag):
    path = make(media, stored(name))
    data = path.read_bytes().replace(there, tag)
    path.write_bytes(data)
    outcome = media.convert("webm", tmp_path / "out", screen=path)
    assert (outcome.verdict, outcome.reason) == ("fault", Reason.MEDIA_UNSUPPORTED), outcome
    assert f"is not known (tag {tag.decode()})" in outcome.detail


@pytest.mark.parametrize(("behind", "whole"), [(b"\r\n", True), (b"\0" * 512, True), (b"\x01\x02", None)])
def test_a_few_bytes_behind_the_last_box_do_not_make_an_mp4_faulty(media, stored, tmp_path, behind, whole):
    path = media.audio(stored("a.m4a"), "aac", "mp4", rate=48000)
    path.write_bytes(path.read_bytes() + behind)
    assert sniffed(path.read_bytes()).whole is whole
    assert built(media, "mp3", tmp_path / "out", path).audio_s == pytest.approx(1.0, abs=0.1)
