"""Stored media corrupted byte by byte: whatever is in a file, the job ends, and each contact has its file or a reason.

A few dozen mutations of each format run with the other tests, always the same ones. `BULK_EXPORT_MUTATIONS=1000` runs
so many of each; the first ones are again the same.
"""

from __future__ import annotations

import os
import random
import resource
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pyarrow as pa
import pytest

from bulk_export.contacts.addresses import Addresses
from bulk_export.definitions.models import MediaFormats
from bulk_export.formats.media import MEDIA_FORMATS
from bulk_export.media.conversion import Conversion
from bulk_export.media.convert import convert
from bulk_export.media.faults import MediaLimits
from bulk_export.media.job import copy_job_media
from bulk_export.media.plan import RequestedFile
from bulk_export.reasons import Reason
from bulk_export.staging.journal import FileResult, Journal
from bulk_export.storage.local import LocalStorage
from bulk_export_sample.encode import AudioFormat, ScreenFormat, write_audio, write_screen
from fault_report import InjectedFaults

MUTATIONS = int(os.environ.get("BULK_EXPORT_MUTATIONS", "30"))
RUN = "export/20261123T000000Z_abc"
RATE_HZ = 8000
LIMITS = MediaLimits(max_duration_s=600, timeout_s=60, max_memory_bytes=1024**3)
FAULTS = {Reason.MEDIA_CORRUPT, Reason.MEDIA_TOO_LARGE, Reason.MEDIA_UNSUPPORTED}

# Stored format: what the receiver asks for, so that every file has to be decoded and encoded anew.
CONVERTED_TO = {
    "wav": "mp3",
    "mulaw.wav": "ogg",
    "mp3": "wav",
    "ogg": "mp3",
    "webm": "mp4",
    "mp4": "webm",
    "wmv": "mp4",
}
SCREENS = frozenset({"webm", "mp4", "wmv"})


def make_seed(form: str, folder: Path) -> bytes:
    """A small whole file of a format, as the sample store has them; what it has not is converted from what it has."""
    path = folder / f"seed.{form}"
    if form == "webm":
        images = (np.full((48, 64, 3), 40 * number, np.uint8) for number in range(5))
        write_screen(path, images, ScreenFormat.VP8, size=(64, 48), fps=5)
    elif form in SCREENS:
        (folder / "seed.webm").write_bytes(make_seed("webm", folder))
        (folder / "seed.wav").write_bytes(make_seed("wav", folder))
        asked = RequestedFile("media", MEDIA_FORMATS[form], ("audio", "screen"))
        outcome = convert(Conversion(asked, folder / "seed.wav", folder / "seed.webm", path, MediaLimits()))
        assert outcome.verdict == "built", outcome
    else:
        tone = (9000 * np.sin(np.arange(RATE_HZ // 2) * (2 * np.pi * 440 / RATE_HZ))).astype(np.int16)
        write_audio(path, tone[np.newaxis], AudioFormat(form))
    return path.read_bytes()


def mutated(seed: bytes, dice: random.Random) -> bytes:
    """The file with one to four things done to it, half of them in its first bytes, where the header is."""
    data = bytearray(seed)
    for _ in range(dice.choice((1, 1, 2, 4))):
        if not data:
            break
        at = dice.randrange(min(len(data), 256)) if dice.random() < 0.5 else dice.randrange(len(data))
        run = dice.choice((1, 2, 4, 16, 200))
        match dice.randrange(8):
            case 0:
                data[at] ^= 1 << dice.randrange(8)
            case 1:
                data[at : at + run] = dice.randbytes(run)
            case 2:
                data[at : at + 4] = dice.choice((b"\xff" * 4, b"\x00" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"))
            case 3:
                del data[at:]
            case 4:
                del data[at : at + run]
            case 5:
                data[at:at] = dice.randbytes(run)
            case 6:
                data[at:at] = data[at : at + run] * dice.choice((1, 50))
            case _:
                to = dice.randrange(len(data))
                data[at : at + run], data[to : to + run] = data[to : to + run], data[at : at + run]
    return bytes(data)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    return {form: make_seed(form, folder) for form in CONVERTED_TO}


@pytest.fixture
def run_job(tmp_path: Path) -> Callable[..., list[FileResult]]:
    """Runs the job over stored files of one kind, numbered from 1, and gives what its journal says."""

    def run(stored: Iterator[bytes], form: str, formats: MediaFormats) -> list[FileResult]:
        (tmp_path / "store").mkdir()
        kind = "screen" if form in SCREENS else "audio"
        rows = []
        for number, content in enumerate(stored, start=1):
            (tmp_path / f"store/{number}.{form}").write_bytes(content)
            empty = dict.fromkeys(("audio_uri", "screen_uri", "audio_bytes", "screen_bytes"))
            rows.append({"contact_id": number, "contact_type": "CALL", "recycled": False} | empty)
            rows[-1] |= {f"{kind}_uri": f"{number}.{form}", f"{kind}_bytes": len(content)}
        text, whole = pa.string(), pa.int64()
        types = [("contact_id", whole), ("contact_type", text), ("recycled", pa.bool_())]
        types += [("audio_uri", text), ("screen_uri", text), ("audio_bytes", whole), ("screen_bytes", whole)]
        journal = Journal(LocalStorage(tmp_path / "staging"), "abc")
        copy_job_media(
            pa.Table.from_pylist(rows, schema=pa.schema(types)),
            job=1,
            formats=formats,
            addresses=Addresses(LocalStorage(tmp_path / "store")),
            destination=LocalStorage(tmp_path / "exports"),
            run_prefix=RUN,
            journal=journal,
            scratch=tmp_path / "scratch",
            workers=2,
            limits=LIMITS,
            progress=lambda *, contacts_done, bytes_written: None,
        )
        return journal.read()

    return run


@pytest.mark.faults("rows")
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("form", CONVERTED_TO)
def test_every_corrupted_file_is_converted_or_a_reason(
    seeds: dict[str, bytes],
    run_job: Callable[..., list[FileResult]],
    form: str,
    tmp_path: Path,
    injected_faults: InjectedFaults,
) -> None:
    injected_faults.add(MUTATIONS, MUTATIONS)
    dice, wanted = random.Random(f"mutations of {form}"), CONVERTED_TO[form]
    peak_before = peak_of_children()
    formats = MediaFormats(audio_video=wanted) if form in SCREENS else MediaFormats(audio_only=wanted)
    stored = (seeds[form] if number == 0 else mutated(seeds[form], dice) for number in range(MUTATIONS + 1))

    results = run_job(stored, form, formats)

    assert sorted(result.contact_id for result in results) == list(range(1, MUTATIONS + 2))
    assert {result.reason for result in results} <= {None, *FAULTS}
    assert min(results, key=lambda result: result.contact_id).reason is None, "the seed itself is whole"
    for result in results:
        delivered = tmp_path / "exports" / RUN / result.path
        assert bool(result.path) == (result.reason is None)
        if result.path:
            assert_whole(delivered)
        else:
            assert result.detail
    assert not (tmp_path / "scratch").exists()
    # A figure that has not risen is of an earlier test's processes.
    peak = peak_of_children()
    assert peak == peak_before or peak < LIMITS.max_memory_bytes
    details = Counter(result.detail.partition(" (")[0].partition(" after")[0] for result in results if result.reason)
    print(f"{form}: {len(results) - details.total()} delivered; {peak // 1024**2} MB; {details.most_common(12)}")


@pytest.mark.faults("rows")
@pytest.mark.parametrize("form", CONVERTED_TO)
def test_a_corrupted_file_asked_for_as_it_is_arrives_as_it_is_or_is_a_reason(
    seeds: dict[str, bytes],
    run_job: Callable[..., list[FileResult]],
    form: str,
    tmp_path: Path,
    injected_faults: InjectedFaults,
) -> None:
    injected_faults.add(MUTATIONS, MUTATIONS)
    dice = random.Random(f"originals of {form}")
    stored = [mutated(seeds[form], dice) for _ in range(MUTATIONS)]

    results = run_job(iter(stored), form, MediaFormats(audio_video="original", audio_only="original"))

    assert len(results) == MUTATIONS
    for result in results:
        assert result.reason in {None, Reason.MEDIA_DOUBTFUL, *FAULTS}
        assert result.delivered == (result.reason not in FAULTS)
        if result.delivered:
            assert (tmp_path / "exports" / RUN / result.path).read_bytes() == stored[result.contact_id - 1]


def peak_of_children() -> int:
    """Memory of the largest process of this one's so far, bytes."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def assert_whole(path: Path) -> None:
    """A delivered file decodes from its first frame to its last."""
    with av.open(str(path)) as media:
        for stream in media.streams:
            stream.codec_context.thread_count = 1
        assert sum(1 for packet in media.demux() for _ in packet.decode()) > 0
