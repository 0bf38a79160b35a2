import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pytest

from bulk_export.contacts.addresses import Addresses
from bulk_export.definitions.models import MediaFormats
from bulk_export.errors import RefusedError, TransientError
from bulk_export.media.job import MediaCounts, MediaLimits, copy_job_media
from bulk_export.reasons import Reason
from bulk_export.staging.journal import FileResult, Journal
from bulk_export.storage.capabilities import ServerCopy
from bulk_export.storage.faults import storage_error
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.reading import read
from verbs_alone import VerbsAlone

RUN = "export/20261123T000000Z_abc"


class Site:
    """A contact store, a destination, a staging area and a scratch directory."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = root / "store"
        (self.store / "media").mkdir(parents=True)
        self.contacts: list[dict[str, object]] = []
        self.scratch = root / "scratch"
        self.destination = LocalStorage(root / "destination")
        self.progress: list[tuple[int, int]] = []

    def contact(self, contact_id: int, kind: str = "CALL", **columns: object) -> None:
        empty = dict.fromkeys(("audio_uri", "screen_uri", "audio_bytes", "screen_bytes"))
        self.contacts.append({"contact_id": contact_id, "contact_type": kind, "recycled": False} | empty | columns)

    def table(self) -> pa.Table:
        types = [
            ("contact_id", pa.int64()),
            ("contact_type", pa.string()),
            ("recycled", pa.bool_()),
            ("audio_uri", pa.string()),
            ("screen_uri", pa.string()),
            ("audio_bytes", pa.int64()),
            ("screen_bytes", pa.int64()),
        ]
        return pa.Table.from_pylist(self.contacts, schema=pa.schema(types))

    def journal(self) -> Journal:
        return Journal(LocalStorage(self.root / "staging"), "abc/results/media/0001")

    def run(self, video=None, audio=None, destination=None, limits=None, places=()) -> MediaCounts:
        return copy_job_media(
            self.table(),
            job=1,
            formats=MediaFormats(audio_video=video, audio_only=audio),
            addresses=Addresses(LocalStorage(self.store), tuple(places)),
            destination=destination or self.destination,
            run_prefix=RUN,
            journal=self.journal(),
            scratch=self.scratch,
            workers=2,
            limits=limits or MediaLimits(),
            progress=lambda *, contacts_done, bytes_written: self.progress.append((contacts_done, bytes_written)),
        )

    def results(self) -> dict[tuple[int, str], FileResult]:
        return {(result.contact_id, result.kind): result for result in self.journal().read()}

    def delivered(self) -> dict[str, bytes]:
        folder = self.root / "destination" / RUN
        return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_a_file_that_is_what_was_asked_for_arrives_byte_for_byte(site, media):
    path = media.wav(site.store / "media/1.wav")
    site.contact(1, audio_uri="media/1.wav", audio_bytes=path.stat().st_size)
    counts = site.run(audio="wav")
    data = path.read_bytes()
    assert site.delivered() == {"data/media/0001/1.wav": data}
    digest = hashlib.sha256(data).hexdigest()
    assert site.results()[1, "media"] == FileResult(
        1, "media", path="data/media/0001/1.wav", bytes=len(data), sha256=digest
    )
    assert counts == MediaCounts(contacts=1, delivered=1, files=1, bytes=len(data))
    assert site.progress[-1] == (1, len(data))


def test_a_large_file_is_streamed_byte_for_byte(site, media):
    path = media.long_wav(site.store / "media/1.wav", 60)
    assert path.stat().st_size > 8 * 1024**2
    site.contact(1, audio_uri="media/1.wav")
    site.run(audio="original")
    assert site.delivered() == {"data/media/0001/1.wav": path.read_bytes()}


def test_one_job_copies_converts_muxes_and_skips(site, media, tmp_path):
    media.wav(site.store / "media/1.wav")
    media.audio(site.store / "media/2.mp3", "libmp3lame", "mp3")
    media.video(site.store / "media/3.webm")
    media.video(site.store / "media/4.webm", "libvpx-vp9")
    site.contact(1, audio_uri="media/1.wav", screen_uri="media/3.webm")
    site.contact(2, audio_uri="media/2.mp3")
    site.contact(3, "SCREEN_ONLY", audio_uri="media/1.wav", screen_uri="media/3.webm")
    site.contact(4, screen_uri="media/4.webm")
    site.contact(5, "CHAT")
    site.contact(6, audio_uri="media/1.wav", recycled=True)
    counts = site.run("webm", "mp3")
    folder = site.root / "destination" / RUN / "data/media/0001"
    assert sorted(site.delivered()) == [f"data/media/0001/{name}" for name in ("1.webm", "2.mp3", "3.webm", "4.webm")]
    tracks = {path.name: media.look(path) for path in folder.iterdir()}
    assert {name: (seen.video, seen.audio) for name, seen in tracks.items()} == {
        "1.webm": ("vp9", "opus"),
        "2.mp3": ("", "mp3"),
        "3.webm": ("vp9", ""),
        "4.webm": ("vp9", ""),
    }
    assert (folder / "2.mp3").read_bytes() == (site.store / "media/2.mp3").read_bytes()
    assert (folder / "4.webm").read_bytes() == (site.store / "media/4.webm").read_bytes()
    assert site.results()[5, "media"].reason == Reason.NO_MEDIA
    assert (6, "media") not in site.results()
    assert (counts.contacts, counts.delivered, counts.without, counts.recycled, counts.faulty) == (6, 4, 1, 1, 0)


def test_original_delivers_audio_and_screen_beside_each_other(site, media):
    media.wav(site.store / "media/1.wav")
    media.video(site.store / "media/1.webm")
    site.contact(1, audio_uri="media/1.wav", screen_uri="media/1.webm")
    site.contact(2, audio_uri="media/1.wav")
    site.contact(3, audio_uri="media/gone.wav", screen_uri="media/1.webm")
    counts = site.run("original", "original")
    assert sorted(site.delivered()) == [
        "data/media/0001/1-audio.wav",
        "data/media/0001/1-screen.webm",
        "data/media/0001/2.wav",
        "data/media/0001/3-screen.webm",
    ]
    assert site.results()[1, "screen"].path == "data/media/0001/1-screen.webm"
    assert site.results()[3, "media"].reason == Reason.MEDIA_MISSING
    assert (counts.delivered, counts.faulty, counts.files) == (2, 1, 4)


def test_only_video_wanted_leaves_contacts_without_screen_alone(site, media):
    media.wav(site.store / "media/1.wav")
    site.contact(1, audio_uri="media/1.wav")
    assert site.run("mp4").without == 1
    assert site.results()[1, "media"].reason == Reason.NO_SCREEN


def test_no_format_wanted_gives_no_results_at_all(site):
    site.contact(1, audio_uri="media/1.wav")
    assert site.run() == MediaCounts()
    assert site.results() == {}


@pytest.mark.faults("rows")
@pytest.mark.parametrize("wanted", ["mp3", "wav", "original"])
def test_every_bad_file_is_an_item_with_a_reason(site, media, wanted):
    good = media.wav(site.store / "media/good.wav").read_bytes()
    bad = {
        1: ("empty.wav", b"", Reason.MEDIA_CORRUPT, "audio: empty"),
        2: ("torn.wav", good[:5000], Reason.MEDIA_CORRUPT, "audio: cut off"),
        3: ("page.wav", b"<html>404</html>" * 40, Reason.MEDIA_CORRUPT, "audio: no media: it is text"),
        4: ("noise.wav", bytes(range(128, 256)) * 50, Reason.MEDIA_CORRUPT, "audio: not readable as media"),
        5: ("gone.wav", None, Reason.MEDIA_MISSING, "audio: no such object: media/gone.wav"),
        6: ("../../etc/passwd", None, Reason.ADDRESS_NOT_ALLOWED, "audio: address leads out of the store"),
    }
    for contact_id, (name, data, _, _) in bad.items():
        if data is not None:
            (site.store / "media" / name).write_bytes(data)
        site.contact(contact_id, audio_uri=f"media/{name}", audio_bytes=len(good) if name == "torn.wav" else 0)
    (site.store / "media/folder.wav").mkdir()
    os.mkfifo(site.store / "media/pipe.wav")
    site.contact(7, audio_uri="media/folder.wav")
    site.contact(8, audio_uri="media/pipe.wav")
    site.contact(9, audio_uri="media/good.wav")
    counts = site.run(audio=wanted)
    results = site.results()
    for contact_id, (_, _, reason, detail) in bad.items():
        result = results[contact_id, "media"]
        assert (result.reason, result.path) == (reason, ""), result
        assert result.detail.startswith(detail)
    for contact_id in (7, 8):
        assert results[contact_id, "media"].detail == "audio: it is not a regular file"
    assert (counts.faulty, counts.delivered) == (8, 1)
    assert [name.rpartition("/")[2].partition(".")[0] for name in site.delivered()] == ["9"]


def test_what_nothing_proves_whole_is_delivered_as_stored_and_said(site, media):
    good = media.wav(site.store / "media/good.wav").read_bytes()
    piped = good[:40] + b"\xff\xff\xff\x7f" + good[44:]
    gsm = bytes(range(128, 256)) * 50
    stored = {
        1: ("cut.wav", good[:5000], 0, "audio: cut off: 4956 of 16000 bytes of audio are there"),
        2: (
            "pipe.wav",
            good[:40] + b"\xff\xff\xff\x7f" + good[44:],
            0,
            "audio: could not be judged: nothing in the file",
        ),
        3: ("longer.wav", good + good[44:], 0, "audio: it holds more than its header says"),
        4: ("line.gsm", gsm, 0, "audio: could not be judged: audio without a header"),
        5: ("line.SLN16", b"spoken", 0, "audio: could not be judged: audio without a header"),
        6: ("known.wav", piped, len(good), ""),
        7: ("whole.wav", good, 0, ""),
    }
    for contact_id, (name, data, noted_bytes, _) in stored.items():
        (site.store / "media" / name).write_bytes(data)
        site.contact(contact_id, audio_uri=f"media/{name}", audio_bytes=noted_bytes)
    counts = site.run(audio="original")
    assert (counts.delivered, counts.faulty, counts.files) == (len(stored), 0, len(stored))
    for contact_id, (_, data, _, detail) in stored.items():
        result = site.results()[contact_id, "media"]
        assert result.detail.startswith(detail) and bool(result.detail) == bool(detail)
        assert result.reason == (Reason.MEDIA_DOUBTFUL if detail else None)
        assert site.delivered()[result.path] == data
    assert [name.rpartition("/")[2] for name in site.delivered()][3:5] == ["4.gsm", "5.sln16"]
    assert site.run(audio="original") == counts


@pytest.mark.parametrize(
    ("name", "data"), [("a.gsm", b""), ("a.bin", bytes(range(128, 256)) * 50), ("a.wav", b"0" * 900)]
)
def test_what_is_no_media_is_not_delivered_as_stored(site, name, data):
    (site.store / "media" / name).parent.mkdir(exist_ok=True)
    (site.store / "media" / name).write_bytes(data)
    site.contact(1, audio_uri=f"media/{name}")
    assert site.run(audio="original").faulty == 1
    assert site.results()[1, "media"].reason == Reason.MEDIA_CORRUPT


def test_a_size_in_the_catalogue_tells_a_torn_stream(site, media):
    path = media.audio(site.store / "media/1.mp3", "libmp3lame", "mp3", 2.0)
    data = path.read_bytes()
    at = data.find(b"Info") if b"Info" in data else data.find(b"Xing")
    path.write_bytes(data[:at] + b"None" + data[at + 4 : 1000] + bytes(500))
    site.contact(1, audio_uri="media/1.mp3", audio_bytes=len(data))
    site.run(audio="original")
    assert "bytes are there" in site.results()[1, "media"].detail


def test_a_file_beyond_the_limit_is_too_large(site, media):
    media.wav(site.store / "media/1.wav")
    site.contact(1, audio_uri="media/1.wav")
    site.run(audio="wav", limits=MediaLimits(max_source_bytes=1000))
    assert site.results()[1, "media"].reason == Reason.MEDIA_TOO_LARGE


def test_names_are_made_of_the_id_and_a_known_extension(site, media):
    media.wav(site.store / "media/=cmd;$(rm).SH")
    site.contact(1, audio_uri="media/=cmd;$(rm).SH")
    site.run(audio="original")
    assert list(site.delivered()) == ["data/media/0001/1.wav"]


def test_a_retry_sends_nothing_twice_and_what_is_missing_again(site, media):
    media.wav(site.store / "media/1.wav")
    for contact_id in (1, 2, 3):
        site.contact(contact_id, audio_uri="media/1.wav")
    site.contact(4, "CHAT")
    site.contact(5, audio_uri="media/late.wav")
    first = site.run(audio="mp3")
    folder = site.root / "destination" / RUN / "data/media/0001"
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    (folder / "2.mp3").unlink()
    (folder / "3.mp3").write_bytes(b"half")
    assert first.faulty == 1
    media.wav(site.store / "media/late.wav")

    second = site.run(audio="mp3")
    after = {path.name: path.stat().st_ino for path in folder.iterdir()}
    assert after["1.mp3"] == before["1.mp3"]
    assert (folder / "2.mp3").stat().st_size == (folder / "3.mp3").stat().st_size == (folder / "1.mp3").stat().st_size
    assert (second.contacts, second.delivered, second.faulty, second.without) == (5, 4, 0, 1)
    assert site.results()[5, "media"].path == "data/media/0001/5.mp3"
    listed = {result.path: result.bytes for result in site.results().values() if result.path}
    assert {f"data/media/0001/{p.name}": p.stat().st_size for p in folder.iterdir()} == listed

    parts = len(list((site.root / "staging").rglob("*.parquet")))
    assert site.run(audio="mp3") == second
    assert len(list((site.root / "staging").rglob("*.parquet"))) == parts


class FullAfter(LocalStorage):
    """A destination whose disk is full after so many files."""

    def __init__(self, root: Path, files: int) -> None:
        super().__init__(root)
        self._left = files

    def put(self, key, content, *, replace=True):
        if self._left == 0:
            raise storage_error("STORAGE_FULL", "write", key, "No space left on device")
        self._left -= 1
        return super().put(key, content, replace=replace)


@pytest.mark.faults("disk")
@pytest.mark.parametrize("wanted", ["wav", "mp3"])
def test_a_destination_that_fills_up_fails_the_task_and_a_retry_goes_on(site, media, wanted):
    media.wav(site.store / "media/1.wav")
    for contact_id in range(1, 41):
        site.contact(contact_id, audio_uri="media/1.wav")
    with pytest.raises(TransientError, match="No space left"):
        site.run(audio=wanted, destination=FullAfter(site.root / "destination", 20))
    assert len(site.delivered()) == 20
    assert not site.scratch.exists()
    known = len(site.results())
    counts = site.run(audio=wanted)
    assert (counts.delivered, len(site.results())) == (40, 40)
    assert known <= 20


def test_a_store_that_is_not_mounted_fails_the_task(site):
    site.contact(1, audio_uri="media/1.wav")
    (site.store / "media").rmdir()
    site.store.rmdir()
    with pytest.raises(TransientError, match="the contact store is not there"):
        site.run(audio="mp3")


class Denying(VerbsAlone):
    """A bucket that denies reading."""

    def open(self, key, byte_range=None):
        raise RefusedError("STORAGE_DENIED", f"could not read {key}: access denied")


def test_one_denied_file_is_an_item_and_a_store_that_denies_all_fails_the_task(site, media):
    media.wav(site.store / "media/1.wav")
    bucket = Denying(site.store)
    site.contact(1, audio_uri="media/1.wav")
    site.contact(2, audio_uri=f"{bucket.uri}/media/1.wav")
    site.run(audio="wav", places=[bucket])
    assert site.results()[2, "media"].reason == Reason.MEDIA_MISSING
    assert site.results()[2, "media"].detail == "audio: access denied: media/1.wav"
    site.contacts.clear()
    for contact_id in range(100, 130):
        site.contact(contact_id, audio_uri=f"{bucket.uri}/media/1.wav")
    with pytest.raises(RefusedError, match="STORAGE_DENIED"):
        site.run(audio="wav", places=[bucket])


@pytest.mark.faults("kill")
def test_scratch_is_left_empty_and_a_killed_attempts_files_go_too(site, media):
    media.wav(site.store / "media/1.wav")
    (site.store / "media/2.wav").write_bytes(b"\x80\x81" * 500)
    site.contact(1, audio_uri="media/1.wav")
    site.contact(2, audio_uri="media/2.wav")
    site.scratch.mkdir()
    seen: list[set[str]] = []
    site.run(audio="mp3", destination=Watching(site.root / "destination", site.scratch, seen))
    (own,) = seen[0]
    leftover = site.scratch / own
    leftover.mkdir()
    (leftover / "99.out").write_bytes(b"half a file")
    site.contact(3, audio_uri="media/1.wav")
    site.run(audio="mp3")
    assert list(site.scratch.iterdir()) == []


class Watching(LocalStorage):
    """Notes what lies in the scratch directory while a file is delivered."""

    def __init__(self, root: Path, scratch: Path, seen: list[set[str]]) -> None:
        super().__init__(root)
        self._scratch, self._seen = scratch, seen

    def put(self, key, content, *, replace=True):
        self._seen.append({path.name for path in self._scratch.iterdir()})
        return super().put(key, content, replace=replace)


def test_remote_objects_are_fetched_converted_and_copied(site, media):
    media.wav(site.store / "media/1.wav")
    large = media.long_wav(site.store / "media/2.wav", 60)
    media.video(site.store / "media/1.webm")
    bucket = VerbsAlone(site.store)
    for contact_id, audio in ((1, "1.wav"), (2, "2.wav"), (3, "gone.wav")):
        site.contact(contact_id, audio_uri=f"{bucket.uri}/media/{audio}")
    site.contact(4, audio_uri=f"{bucket.uri}/media/1.wav", screen_uri=f"{bucket.uri}/media/1.webm")
    counts = site.run("webm", "wav", places=[bucket])
    delivered = site.delivered()
    assert sorted(name.rpartition("/")[2] for name in delivered) == ["1.wav", "2.wav", "4.webm"]
    assert delivered["data/media/0001/2.wav"] == large.read_bytes()
    assert (counts.delivered, counts.faulty) == (3, 1)
    assert site.results()[3, "media"].reason == Reason.MEDIA_MISSING
    assert not site.scratch.exists()


class Copying(LocalStorage, ServerCopy):
    """A destination whose service copies by itself, and notes what."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.copied: list[str] = []

    def copy(self, key, source, source_key, fetched):
        self.copied.append(source_key)
        return self.put(key, read(source, source_key))


def test_a_large_remote_object_is_judged_by_its_ends_and_copied_inside_the_service(site, media):
    media.wav(site.store / "media/1.wav")
    large = media.long_wav(site.store / "media/2.wav", 60)
    torn = site.store / "media/3.wav"
    torn.write_bytes(large.read_bytes()[:-1000])
    bucket, destination = VerbsAlone(site.store), Copying(site.root / "destination")
    for contact_id in (1, 2, 3):
        noted_bytes = large.stat().st_size if contact_id > 1 else 0
        site.contact(contact_id, audio_uri=f"{bucket.uri}/media/{contact_id}.wav", audio_bytes=noted_bytes)
    site.run(audio="original", destination=destination, places=[bucket])
    assert destination.copied == ["media/2.wav"]
    assert sorted(site.delivered()) == ["data/media/0001/1.wav", "data/media/0001/2.wav"]
    assert site.results()[3, "media"].detail.startswith("audio: cut off")


def test_a_conversion_that_takes_too_long_holds_up_nobody_else(site, media):
    media.wav(site.store / "media/1.wav")
    media.long_wav(site.store / "media/2.wav", 600)
    site.contact(1, audio_uri="media/2.wav")
    for contact_id in (2, 3, 4):
        site.contact(contact_id, audio_uri="media/1.wav")
    counts = site.run(audio="ogg", limits=MediaLimits(timeout_s=0.5))
    assert site.results()[1, "media"].detail == "conversion exceeded 0.5 s"
    assert (counts.delivered, counts.faulty) == (3, 1)


def test_a_thousand_contacts_are_journaled_in_parts(site, media):
    media.wav(site.store / "media/1.wav", 0.1)
    for contact_id in range(1200):
        site.contact(contact_id, audio_uri="media/1.wav")
    counts = site.run(audio="wav")
    assert counts.delivered == len(site.results()) == 1200
    assert len(list((site.root / "staging").rglob("part-*.parquet"))) >= 3
    assert [done for done, _ in site.progress] == sorted(done for done, _ in site.progress)
    assert site.progress[-1] == (1200, counts.bytes)


def test_a_device_is_never_opened(site, monkeypatch):
    (site.store / "media").mkdir(parents=True, exist_ok=True)
    (site.store / "media/1.wav").symlink_to("/dev/null")
    os.mkfifo(site.store / "media/2.wav")
    opened = []
    really = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: opened.append(str(path)) or really(path, *rest))
    for contact_id in (1, 2):
        site.contact(contact_id, audio_uri=f"media/{contact_id}.wav")
    site.run(audio="original", places=[LocalStorage(Path("/dev"))])
    assert [site.results()[contact_id, "media"].detail for contact_id in (1, 2)] == [
        "audio: it is not a regular file"
    ] * 2
    assert not [path for path in opened if path.endswith((".wav", "/null"))]
