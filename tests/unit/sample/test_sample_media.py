from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bulk_export_sample import SampleReport, make_sample_store
from bulk_export_sample.bulk import BulkAudio

UNTIL = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
CONTACTS = 300


@dataclass(frozen=True)
class Store:
    root: Path
    report: SampleReport
    rows: list[dict]

    def with_object(self, column: str) -> list[tuple[dict, Path]]:
        return [(row, self.root / row[column]) for row in self.rows if row[column] is not None]


@dataclass(frozen=True)
class Sound:
    codec: str
    channels: int
    seconds: float
    decibels: float
    peak: float


def make(root: Path, **arguments: object) -> Store:
    report = make_sample_store(root, **({"contacts": CONTACTS, "seed": 8, "until": UNTIL} | arguments))
    files = sorted((root / "contacts").rglob("*.parquet"))
    return Store(root, report, pa.concat_tables(pq.ParquetFile(path).read() for path in files).to_pylist())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make(tmp_path_factory.mktemp("sample") / "store")


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make(tmp_path_factory.mktemp("dirty") / "store", contacts=120, dirt=True)


def listen(path: Path) -> Sound:
    with av.open(str(path)) as container:
        assert [stream.type for stream in container.streams] == ["audio"]
        stream = container.streams.audio[0]
        frames = list(container.decode(stream))
        whole = 32_768 if frames[0].format.name.startswith("s16") else 1
        samples = np.concatenate([frame.to_ndarray().astype(np.float64).ravel() / whole for frame in frames])
        return Sound(
            codec=stream.codec_context.name,
            channels=stream.codec_context.channels,
            seconds=sum(frame.samples for frame in frames) / frames[0].sample_rate,
            decibels=20 * float(np.log10(np.sqrt(np.mean(samples**2)))),
            peak=float(np.abs(samples).max()),
        )


@pytest.mark.slow
def test_every_named_object_is_there_with_the_size_the_catalogue_says(store: Store) -> None:
    audio, screen = store.with_object("audio_uri"), store.with_object("screen_uri")
    transcripts = store.with_object("transcript_uri")
    assert all(path.stat().st_size == row["audio_bytes"] for row, path in audio)
    assert all(path.stat().st_size == row["screen_bytes"] for row, path in screen)
    assert len(audio) + len(screen) == store.report.media_files == len(list((store.root / "media").iterdir()))
    assert len(transcripts) == store.report.transcript_files == len(list((store.root / "transcripts").iterdir()))
    files = [path for part in ("contacts", "media", "transcripts") for path in (store.root / part).rglob("*.*")]
    assert store.report.bytes == sum(path.stat().st_size for path in files if path.is_file())


def test_types_have_the_media_they_should(store: Store) -> None:
    calls = [row for row in store.rows if row["contact_type"] == "CALL"]
    assert sum(row["audio_uri"] is not None for row in calls) > 0.9 * len(calls)
    assert 0.1 < sum(row["screen_uri"] is not None for row in calls) / len(calls) < 0.4
    for row in store.rows:
        if row["contact_type"] == "SCREEN_ONLY":
            assert row["screen_uri"] and not row["audio_uri"] and not row["transcript_uri"] and row["text"] is None
        if row["contact_type"] in ("EMAIL", "TEXT", "CHAT", "SMS"):
            assert not row["screen_uri"] and not row["audio_uri"]
            assert (row["transcript_uri"] is None) == (row["text"] is None)


def test_audio_opens_in_the_expected_codecs_and_is_loud_enough_to_hear(store: Store) -> None:
    sounds = [listen(path) for _, path in store.with_object("audio_uri")]
    assert {sound.codec for sound in sounds} == {"pcm_s16le", "pcm_mulaw", "opus", "mp3float"}
    assert {sound.channels for sound in sounds} == {1, 2}
    assert all(-22 < sound.decibels < -18 for sound in sounds)
    assert all(sound.peak < 1 for sound in sounds)
    assert all(1.9 < sound.seconds < 6.3 for sound in sounds)


def test_no_two_contacts_sound_or_look_the_same(store: Store) -> None:
    media = [path.read_bytes() for path in (store.root / "media").iterdir()]
    assert len(set(media)) == len(media)


def test_speakers_of_a_stereo_call_have_a_channel_each_and_take_turns(store: Store) -> None:
    row, path = next(
        (row, path)
        for row, path in store.with_object("audio_uri")
        if path.suffix == ".wav" and row["transcript_uri"] and listen(path).channels == 2
    )
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray().astype(np.float64) for frame in container.decode(audio=0)], axis=1)
    left, right = sound.reshape(-1, 2).T
    segments = json.loads((store.root / row["transcript_uri"]).read_bytes())["segments"]
    for segment in segments:
        span = slice(segment["start_ms"] * 8, segment["end_ms"] * 8)
        speaks, listens = (left, right) if segment["speaker"] == "agent" else (right, left)
        assert np.std(speaks[span]) > 10 * np.std(listens[span])


def test_screen_video_is_small_moves_and_lasts_as_long_as_the_sound(store: Store) -> None:
    codecs = set()
    for row, path in store.with_object("screen_uri"):
        with av.open(str(path)) as container:
            assert [stream.type for stream in container.streams] == ["video"]
            codecs.add(container.streams.video[0].codec_context.name)
            images = [frame.to_ndarray(format="gray").astype(np.int16) for frame in container.decode(video=0)]
        assert images[0].shape in {(180, 320), (240, 426), (360, 640)}
        assert 10 <= len(images) <= 30
        # What moved are pixels by the dozen that changed a lot, not coding noise.
        changed = [np.abs(one - two) > 60 for one, two in pairwise(images)]
        assert min(int(each.sum()) for each in changed) > 20
        assert np.std(images[0]) > 20
        if row["audio_uri"]:
            assert abs(listen(store.root / row["audio_uri"]).seconds - len(images) / 5) < 0.25
    assert codecs == {"vp8", "vp9"}


def test_call_durations_cover_the_recording_and_some_are_minutes(store: Store) -> None:
    calls = [(row, listen(path).seconds) for row, path in store.with_object("audio_uri") if row["call_duration"]]
    assert all(row["call_duration"] > seconds - 0.3 for row, seconds in calls)
    assert sum(row["call_duration"] >= 60 for row, _ in calls) > 0.2 * len(calls)


def test_transcripts_parse_and_hold_the_catalogues_text_in_order(store: Store) -> None:
    languages = set()
    for row, path in store.with_object("transcript_uri"):
        document = json.loads(path.read_bytes())
        languages.add(document["language"])
        segments = document["segments"]
        assert document["schema"] == "transcript-1.0"
        assert (document["contact_id"], document["channel"]) == (row["contact_id"], row["contact_type"])
        assert {each["speaker"] for each in segments} == {each["id"] for each in document["participants"]}
        assert " ".join(row["text"].split()) == " ".join(each["text"] for each in segments)
        assert all(0 <= each["start_ms"] < each["end_ms"] for each in segments)
        assert all(one["end_ms"] <= two["start_ms"] for one, two in pairwise(segments))
        assert all(each["sentiment"] in ("positive", "negative", "neutral") for each in segments)
        if row["contact_type"] == "CALL":
            assert segments[-1]["end_ms"] <= row["call_duration"] * 1_000
            assert all(0 < each["confidence"] < 1 for each in segments)
        assert document["analytics"]["sentiment"] in ("positive", "negative", "neutral")
    assert languages >= {"en", "es", "pt", "ja"}


def test_a_clean_store_has_no_control_characters(store: Store) -> None:
    texts = [value for row in store.rows for value in row.values() if isinstance(value, str)]
    assert not any(set(text) & {"\x00", "\x0b", "\x1b"} for text in texts)


@pytest.mark.slow
def test_dirt_shows_every_kind_of_fault_and_leaves_most_contacts_whole(dirty: Store) -> None:
    seen = {"missing": 0, "empty": 0, "torn": 0, "web page": 0, "bad transcript": 0, "no transcript": 0}
    for column, size in (("audio_uri", "audio_bytes"), ("screen_uri", "screen_bytes")):
        for row, path in dirty.with_object(column):
            there = path.stat().st_size if path.exists() else None
            seen["missing"] += there is None
            seen["empty"] += there == 0
            page = bool(there) and path.read_bytes().startswith(b"<!doctype html>")
            seen["web page"] += page
            seen["torn"] += bool(there) and not page and there != row[size]
    for _, path in dirty.with_object("transcript_uri"):
        try:
            seen["bad transcript"] += json.loads(path.read_bytes()).get("schema") != "transcript-1.0"
        except FileNotFoundError:
            seen["no transcript"] += 1
        except ValueError:
            seen["bad transcript"] += 1
    assert all(seen.values()), seen
    assert sum(seen.values()) < 0.12 * len(dirty.rows)


def test_dirt_puts_control_characters_into_text_and_transcript(dirty: Store) -> None:
    soiled = [row for row in dirty.rows if row["text"] is not None and "\x00" in row["text"]]
    assert soiled
    for row in soiled:
        segments = json.loads((dirty.root / row["transcript_uri"]).read_bytes())["segments"]
        assert "\x00\x0b\x1b" in segments[-1]["text"]


def test_audio_of_a_wanted_size_is_valid_different_and_on_every_contact(tmp_path: Path) -> None:
    bulk = make(tmp_path / "store", contacts=40, audio_bytes=64_001)
    assert (bulk.report.media_files, bulk.report.transcript_files) == (40, 40)
    assert all(row["contact_type"] == "CALL" and not row["is_root"] and not row["recycled"] for row in bulk.rows)
    paths = [path for _, path in bulk.with_object("audio_uri")]
    assert {path.stat().st_size for path in paths} == {64_000}
    assert len({path.read_bytes() for path in paths}) == 40
    sound = listen(paths[-1])
    assert (sound.codec, sound.channels) == ("pcm_s16le", 1)
    assert sound.seconds == pytest.approx((64_000 - 44) / 16_000)
    assert -26 < sound.decibels < -15


def test_files_cut_from_the_same_place_of_the_sound_still_differ(tmp_path: Path) -> None:
    audio = BulkAudio(seed=1, file_bytes=4_096)
    whole_rounds = 20 * 8_000  # the sound lasts 20 s, so contact 0 and contact 160,000 start at the same sample
    for number in (0, whole_rounds):
        audio.write(tmp_path / str(number), number)
    one, two = (tmp_path / str(number) for number in (0, whole_rounds))
    assert one.read_bytes() != two.read_bytes()
    assert one.read_bytes()[44 + 128 :] == two.read_bytes()[44 + 128 :]
