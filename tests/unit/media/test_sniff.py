import struct

import pytest

from bulk_export.media.containers.sniffed import Window
from bulk_export.media.sniff import WINDOW_BYTES, sniff, window_of


def sniffed(data: bytes, noted: int | None = None):
    return sniff(Window(data, data, len(data)), noted)


def wav(data_size: int, body: bytes, tag: int = 1, bits: int = 16, riff: bytes = b"RIFF") -> bytes:
    fmt = struct.pack("<HHIIHH", tag, 1, 8000, 16000, 2, bits)
    head = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", data_size)
    return riff + struct.pack("<I", len(head) + len(body)) + head + body


@pytest.mark.parametrize(
    ("tag", "bits", "codec"),
    [(1, 16, "pcm_s16le"), (1, 8, "pcm_u8"), (6, 8, "pcm_alaw"), (7, 8, "pcm_mulaw"), (3, 32, "pcm_f32le")],
)
def test_a_wav_tells_its_codec(tag, bits, codec):
    seen = sniffed(wav(100, bytes(100), tag, bits))
    assert (seen.container, seen.audio, seen.codecs_known, seen.whole, seen.fault) == ("wav", codec, True, True, "")


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        (wav(100, bytes(100)), ""),
        (wav(100, bytes(101)), ""),  # padded
        (wav(0, bytes(100)), ""),  # written to a pipe
        (wav(0xFFFFFFFF, bytes(100)), ""),
        (wav(100, bytes(99)), "cut off: 99 of 100 bytes"),
        (wav(0xFFFFFF00, bytes(100)), "cut off: 100 of 4294967040 bytes"),
        (wav(100, b""), "cut off: no audio"),
        (wav(0, b""), "cut off: no audio"),
        (wav(100, bytes(100))[:30], "cut off: the header"),
        (wav(100, bytes(100)).replace(struct.pack("<I", 8000), bytes(4)), "not readable as wav"),
    ],
)
def test_a_wav_is_whole_by_the_size_of_its_audio(made, fault):
    assert sniffed(made).fault.startswith(fault)
    assert bool(sniffed(made).fault) == bool(fault)


def test_a_long_wav_takes_its_size_from_ds64():
    ds64 = b"ds64" + struct.pack("<IQQQI", 28, 0, 200, 0, 0)
    made = wav(0xFFFFFFFF, bytes(100), riff=b"RF64").replace(b"WAVE", b"WAVE" + ds64)
    assert sniffed(made).fault == "cut off: 100 of 200 bytes of audio are there"


@pytest.fixture
def made(media, tmp_path):
    """Whole files by kind."""
    return {
        "ogg": media.audio(tmp_path / "a.ogg", "libopus", "ogg", rate=48000),
        "mp3": media.audio(tmp_path / "a.mp3", "libmp3lame", "mp3"),
        "webm": media.video(tmp_path / "a.webm"),
        "matroska": media.video(tmp_path / "a.mkv", "libx264", "matroska"),
        "mp4": media.video(tmp_path / "a.mp4", "libx264", "mp4"),
        "mov": media.video(tmp_path / "a.mov", "libx264", "mov"),
        "asf": media.video(tmp_path / "a.wmv", "wmv2", "asf"),
        "flac": media.audio(tmp_path / "a.flac", "flac", "flac"),
    }


CODECS = {"ogg": "opus", "mp3": "mp3"}
KINDS = ("ogg", "mp3", "webm", "matroska", "mp4", "mov", "asf")


@pytest.mark.parametrize("kind", [*KINDS, "flac"])
def test_a_whole_file_is_recognised_and_without_fault(made, kind):
    seen = sniffed(made[kind].read_bytes())
    assert (seen.container, seen.fault, seen.audio) == (kind, "", CODECS.get(kind, ""))
    assert seen.codecs_known == (kind in CODECS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.3, 0.7, 0.98])
def test_a_torn_file_is_cut_off(made, kind, part):
    data = made[kind].read_bytes()
    assert "cut off" in sniffed(data[: int(len(data) * part)]).fault


def test_an_mp3_without_a_count_is_torn_when_it_ends_inside_a_frame(made):
    data = made["mp3"].read_bytes()
    at = data.index(b"Info") if b"Info" in data else data.index(b"Xing")
    plain = data[:at] + b"None" + data[at + 4 :]
    assert sniffed(plain).fault == ""
    assert sniffed(plain + b"TAG" + bytes(125)).fault == ""
    assert sniffed(plain + bytes(64)).fault == ""
    assert sniffed(plain[:-20]).fault == "cut off: the last frame is not complete"


def test_an_mp3_behind_an_id3_tag_is_an_mp3(made):
    tag = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)
    assert sniffed(tag + made["mp3"].read_bytes()).audio == "mp3"
    assert sniffed(tag).fault == "cut off: nothing after the ID3 tag"


def test_an_ogg_whose_last_page_is_no_end_cannot_tell_whether_it_is_whole(made):
    data = made["ogg"].read_bytes()
    whole_pages = data[: data.rindex(b"OggS")]
    assert (sniffed(whole_pages).fault, sniffed(whole_pages).whole) == ("", None)
    assert sniffed(whole_pages[:-1]).fault == "cut off: the last page is not complete"


def test_a_live_webm_without_sizes_is_walked_to_its_end(media, tmp_path):
    import av

    path = tmp_path / "live.webm"
    with av.open(str(path), "w", format="webm", container_options={"live": "1"}) as output:
        stream = output.add_stream("libvpx", rate=5)
        stream.width, stream.height = 64, 48
        for number in range(5):
            frame = av.VideoFrame(64, 48, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 30]) * plane.buffer_size)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    data = path.read_bytes()
    assert (sniffed(data).fault, sniffed(data).whole) == ("", None)
    assert sniffed(data[:-3]).fault == "cut off: the last element is not complete"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "empty"),
        (bytes(640), "no media: only zero bytes"),
        (b"<html>404</html>" * 40, "no media: it is text"),
        (b'{"error": "gone"}', "no media: it is text"),
        (b"\x1a\x45\xdf\xa3\x84\x42\x86\x81\x01" + b"\x77" * 300, "not readable as matroska"),
        (b"OggS\x00\x02" + bytes(8), "not readable as ogg"),
    ],
)
def test_what_is_evidently_no_media_says_so(data, fault):
    assert sniffed(data).fault.startswith(fault)


def test_unknown_bytes_are_left_to_the_media_library():
    seen = sniffed(bytes(range(128, 256)) * 9)
    assert (seen.container, seen.fault) == ("", "")


def test_the_size_in_the_catalogue_decides_only_where_the_format_cannot_tell():
    streamed, whole = wav(0xFFFFFFFF, bytes(100)), wav(100, bytes(100))
    assert sniffed(streamed, 10_000).fault.startswith("cut off: 144 of 10000 bytes")
    assert sniffed(whole, 10_000).fault == ""
    assert sniffed(streamed, len(streamed)).fault == ""


@pytest.mark.slow
def test_a_large_file_is_judged_by_its_ends(media, tmp_path):
    path = media.audio(tmp_path / "long.ogg", "libopus", "ogg", seconds=30.0, rate=48000, channels=2)
    size = path.stat().st_size
    assert size > 2 * WINDOW_BYTES
    with path.open("rb") as stream:
        window = window_of(stream, size)
    assert len(window.head) == len(window.tail) == WINDOW_BYTES
    assert sniff(window).whole is True
    cut = path.with_name("cut.ogg")
    cut.write_bytes(path.read_bytes()[:-100])
    with cut.open("rb") as stream:
        assert "cut off" in sniff(window_of(stream, size - 100)).fault
