"""The store of real contacts that lies beside the project, where it does."""

from collections import Counter
from functools import cache
from pathlib import Path

import av
import pyarrow.dataset as ds
import pytest

from bulk_export.contacts.addresses import Addresses
from bulk_export.definitions.models import MediaFormats
from bulk_export.media.job import MediaLimits, copy_job_media
from bulk_export.reasons import Reason
from bulk_export.staging.journal import Journal
from bulk_export.storage.local import LocalStorage

STORE = Path(__file__).parents[4] / "shared" / "data" / "real-contacts"
COLUMNS = ["contact_id", "contact_type", "recycled", "audio_uri", "screen_uri", "audio_bytes", "screen_bytes"]

# Found by hand: listing the folder, `od -c`, decoding each file to its end.
MISSING = {100008, 100037, 100066, 100095, 100124}
EMPTY = {100012, 100041, 100070, 100099, 100128}
ERROR_PAGE = {100018, 100047, 100076, 100105, 100134}
TORN = {100014, 100043, 100072, 100101, 100130}

pytestmark = pytest.mark.skipif(not STORE.is_dir(), reason=f"no real contacts at {STORE}")


@pytest.fixture(scope="module")
def contacts():
    return ds.dataset(STORE / "contacts").to_table(columns=COLUMNS).sort_by("contact_id")


@pytest.fixture(scope="module")
def run(contacts, tmp_path_factory):
    """Each pair of formats is delivered once, however many tests look at it."""

    @cache
    def deliver(video, audio):
        root = tmp_path_factory.mktemp("run")
        journal = Journal(LocalStorage(root / "staging"), "r/results/media/0001")
        counts = copy_job_media(
            contacts,
            job=1,
            formats=MediaFormats(audio_video=video, audio_only=audio),
            addresses=Addresses(LocalStorage(STORE)),
            destination=LocalStorage(root / "out"),
            run_prefix="e/r",
            journal=journal,
            scratch=root / "scratch",
            workers=2,
            limits=MediaLimits(),
            progress=lambda *, contacts_done, bytes_written: None,
        )
        return root / "out/e/r", counts, journal.read()

    return deliver


@pytest.mark.parametrize(("video", "audio"), [("original", "original"), (None, "mp3"), ("mp4", "mp3")])
def test_exactly_the_dirty_files_are_faulty(contacts, run, video, audio):
    _, counts, results = run(video, audio)
    faults = {result.contact_id: result for result in results if result.reason in {"MEDIA_MISSING", "MEDIA_CORRUPT"}}
    recycled = set(contacts.filter(contacts["recycled"])["contact_id"].to_pylist())
    assert {i for i, r in faults.items() if r.reason == Reason.MEDIA_MISSING} == MISSING - recycled
    assert {i for i, r in faults.items() if "empty" in r.detail} == EMPTY - recycled
    assert {i for i, r in faults.items() if "no media" in r.detail} == ERROR_PAGE - recycled
    assert {i for i, r in faults.items() if "cut off" in r.detail} == TORN - recycled
    assert len(faults) == counts.faulty == 20 - len((MISSING | EMPTY | ERROR_PAGE | TORN) & recycled)
    assert counts.contacts == contacts.num_rows


def test_every_sound_call_becomes_a_playable_file_as_long_as_it_was(contacts, run):
    delivered, _, results = run("mp4", "mp3")
    rows = {row["contact_id"]: row for row in contacts.to_pylist()}
    kinds = Counter()
    for result in results:
        if result.reason is not None:
            continue
        row, made = rows[result.contact_id], delivered / result.path
        stored = max(duration(STORE / row[name]) for name in ("audio_uri", "screen_uri") if row[name])
        assert duration(made) == pytest.approx(stored, abs=0.1), result.path
        assert made.stat().st_size == result.bytes
        kinds[made.suffix] += 1
    assert kinds[".mp4"] > 30
    assert kinds[".mp3"] > 70


def duration(path: Path) -> float:
    with av.open(str(path)) as opened:
        return (opened.duration or 0) / 1e6
