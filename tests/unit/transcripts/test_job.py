from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import pyarrow as pa
import pytest

from bulk_export.contacts.addresses import Addresses
from bulk_export.errors import TransientError
from bulk_export.reasons import Reason
from bulk_export.staging.journal import FileResult, Journal
from bulk_export.storage.base import Storage, Stored
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.reading import read
from bulk_export.transcripts.job import TranscriptCounts, export_job_transcripts
from verbs_alone import VerbsAlone

StoredDocument = Callable[..., dict[str, Any]]
RUN = "weekly/20261123T023000Z_ab12"
MAX_BYTES = 100_000


@dataclass
class Bench:
    """A store, a destination and a journal in one directory, and the job that connects them."""

    root: Path
    destination: Storage

    def store(self, contact_id: int, content: bytes | None = None) -> None:
        path = self.root / f"store/transcripts/{contact_id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if content is not None else document(contact_id))

    @property
    def journal(self) -> Journal:
        return Journal(LocalStorage(self.root / "staging"), "results/transcripts/0002")

    def run(
        self,
        uris: dict[int, str | None],
        *,
        format: Literal["json", "xml"] = "json",
        recycled: frozenset[int] = frozenset(),
        places: tuple[Storage, ...] = (),
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> TranscriptCounts:
        contacts = pa.table(
            {
                "contact_id": pa.array(uris.keys(), pa.int64()),
                "recycled": [contact_id in recycled for contact_id in uris],
                "transcript_uri": pa.array(uris.values(), pa.string()),
            }
        )
        return export_job_transcripts(
            contacts,
            job=2,
            format=format,
            addresses=Addresses(LocalStorage(self.root / "store"), places),
            destination=self.destination,
            run_prefix=RUN,
            journal=self.journal,
            max_bytes=MAX_BYTES,
            progress=lambda *, contacts_done, bytes_written: progress(contacts_done, len(uris)),
        )

    def results(self) -> dict[int, FileResult]:
        return {result.contact_id: result for result in self.journal.read()}

    def delivered(self) -> dict[str, bytes]:
        return {
            entry.key.removeprefix(f"{RUN}/"): read(self.destination, entry.key) for entry in self.destination.list()
        }


def document(contact_id: int, text: str = "hello") -> bytes:
    return json.dumps(
        {
            "schema": "transcript-1.0",
            "contact_id": contact_id,
            "language": "en",
            "channel": "CALL",
            "participants": [{"id": "agent", "role": "agent"}],
            "segments": [{"speaker": "agent", "start_ms": 0, "end_ms": 900, "text": text}],
        }
    ).encode()


def uris(*contact_ids: int) -> dict[int, str | None]:
    return {contact_id: f"transcripts/{contact_id}.json" for contact_id in contact_ids}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    (tmp_path / "store").mkdir()
    return Bench(tmp_path, LocalStorage(tmp_path / "out"))


@pytest.mark.parametrize("format", ["json", "xml"])
def test_every_contact_ends_in_one_way_and_every_file_meets_its_schema(
    format: Literal["json", "xml"], bench: Bench, validate: Callable[[bytes], None]
) -> None:
    hostile: dict[int, tuple[bytes | None, Reason | None, str]] = {
        1: (document(1), None, ""),
        2: (document(2, "bell\x07 and nul\0 and cut \ud83d"), None, ""),
        3: (
            document(3).replace(b'"text"', b'"words": [], "text"'),
            None,
            "1 keys outside the transcript format left out",
        ),
        10: (b"", Reason.TRANSCRIPT_CORRUPT, "the file is empty"),
        11: (document(11)[:-30], Reason.TRANSCRIPT_CORRUPT, "not readable as JSON"),
        12: (document(13), Reason.TRANSCRIPT_CORRUPT, "contact_id: is of another contact"),
        13: (b"\xff" * 500, Reason.TRANSCRIPT_CORRUPT, "not readable as JSON"),
        14: (b"[" * MAX_BYTES, Reason.TRANSCRIPT_CORRUPT, "not readable as JSON"),
        15: (document(15).replace(b"900", b"1e999"), Reason.TRANSCRIPT_CORRUPT, "not readable as JSON"),
        16: (document(16).replace(b"900", b"NaN"), Reason.TRANSCRIPT_CORRUPT, "not readable as JSON"),
        17: (document(17).replace(b"900", b"true"), Reason.TRANSCRIPT_CORRUPT, "segments[0].end_ms: not an integer"),
        18: (document(18, "x" * MAX_BYTES), Reason.TRANSCRIPT_TOO_LARGE, "bytes, the limit is 100000"),
        19: (None, Reason.TRANSCRIPT_MISSING, "no such object"),
    }
    for contact_id, (content, _, _) in hostile.items():
        if content is not None:
            bench.store(contact_id, content)
    counts = bench.run(
        {**uris(*hostile), 20: None, 21: "", 22: "transcripts/1.json"}, format=format, recycled=frozenset({22})
    )

    results = bench.results()
    assert {contact_id: results[contact_id].reason for contact_id in hostile} == {
        contact_id: reason for contact_id, (_, reason, _) in hostile.items()
    }
    assert not [each for each, (_, _, detail) in hostile.items() if detail not in results[each].detail]
    assert [results[20].reason, results[21].reason] == [Reason.NO_TRANSCRIPT] * 2
    assert 22 not in results

    files = bench.delivered()
    assert set(files) == {f"data/transcripts/0002/{contact_id}.{format}" for contact_id in (1, 2, 3)}
    for result in results.values():
        if result.path:
            validate(files[result.path])
            assert result.kind == "transcript"
            assert result.bytes == len(files[result.path])
            assert result.sha256 == hashlib.sha256(files[result.path]).hexdigest()
    assert [results[2].fixes, results[1].fixes] == [3 if format == "xml" else 1, 0]
    assert counts == TranscriptCounts(
        delivered=3,
        bytes=sum(map(len, files.values())),
        fixes=results[2].fixes,
        recycled=1,
        skipped={Reason.NO_TRANSCRIPT: 2},
        failed={Reason.TRANSCRIPT_CORRUPT: 8, Reason.TRANSCRIPT_TOO_LARGE: 1, Reason.TRANSCRIPT_MISSING: 1},
    )


@pytest.mark.faults("rows")
def test_a_huge_transcript_is_never_read_into_memory(bench: Bench) -> None:
    bench.store(1)
    with (bench.root / "store/transcripts/1.json").open("r+b") as file:
        file.truncate(2**30)  # sparse: a gigabyte on paper
    tracemalloc.start()
    bench.run(uris(1))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert bench.results()[1].reason is Reason.TRANSCRIPT_TOO_LARGE
    assert peak < 50 * 2**20


@pytest.mark.faults("rows")
@pytest.mark.parametrize(
    ("uri", "detail"),
    [
        ("../secret.json", "address leads out of the store"),
        ("transcripts/../../secret.json", "address leads out of the store"),
        ("transcripts/../../store/transcripts/1.json", "address leads out of the store"),
        ("/etc/hostname", "address lies outside of contact_store.allowed"),
        ("//etc/hostname", "address lies outside of contact_store.allowed"),
        ("transcripts/", "address names no object"),
        (".", "address names no object"),
        ("transcripts/..", "address names no object"),
        ("transcripts/1.json\0", "address has control characters"),
        ("transcripts/\n1.json", "address has control characters"),
        ("ftp://host/1.json", "address lies outside of contact_store.allowed"),
        ("file:/etc/hostname", "no such object"),
        ("transcripts", "no such object"),
        ("transcripts/1.json/2", "no such object"),
        ("x" * 5_000, "no such object"),
        (r"..\..\secret.json", "no such object"),
        ("%2e%2e/secret.json", "no such object"),
    ],
)
def test_an_address_that_leads_nowhere_or_out_is_missing(uri: str, detail: str, bench: Bench) -> None:
    bench.store(1)
    (bench.root / "secret.json").write_bytes(document(1))
    outside = "contact_store.allowed" in detail or "out of the store" in detail
    reason = Reason.ADDRESS_NOT_ALLOWED if outside else Reason.TRANSCRIPT_MISSING
    assert bench.run({1: uri}).failed == {reason: 1}
    assert bench.results()[1].detail == detail
    assert bench.delivered() == {}


@pytest.mark.parametrize("uri", ["./transcripts/1.json", "transcripts//1.json", "media/../transcripts/1.json"])
def test_detours_inside_the_store_are_followed(uri: str, bench: Bench) -> None:
    bench.store(1)
    assert bench.run({1: uri}).delivered == 1


@pytest.mark.parametrize("address", ["{root}/store/transcripts/1.json", "file://{root}/store/transcripts/%31.json"])
def test_an_absolute_address_may_be_the_stores_own(address: str, bench: Bench) -> None:
    bench.store(1)
    assert bench.run({1: address.format(root=bench.root)}).delivered == 1


def test_an_absolute_address_is_read_where_a_place_is_allowed(bench: Bench) -> None:
    LocalStorage(bench.root / "elsewhere").put("deep/1.json", document(1))
    elsewhere = VerbsAlone(bench.root / "elsewhere")
    addresses = {number: f"{elsewhere.uri}/deep/{number}.json" for number in (1, 2)}

    assert bench.run({**addresses, 3: f"{elsewhere.uri}-other/3.json"}, places=(elsewhere,)).delivered == 1

    results = bench.results()
    assert results[2].detail == "no such object"
    assert results[3].reason is Reason.ADDRESS_NOT_ALLOWED


def test_a_second_run_writes_nothing_again(bench: Bench) -> None:
    for contact_id in (1, 2):
        bench.store(contact_id)
    wanted = {**uris(1, 2, 3), 4: None}
    first = bench.run(wanted)
    written = {path: path.stat().st_ino for path in (bench.root / "out").rglob("*.json")}
    journal = bench.journal.read()
    seen: list[tuple[int, int]] = []
    assert bench.run(wanted, progress=lambda done, total: seen.append((done, total))) == first
    assert {path: path.stat().st_ino for path in (bench.root / "out").rglob("*.json")} == written
    assert bench.journal.read() == journal
    assert seen == [(3, 4), (4, 4)]


@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"{")], ids=["gone", "cut"])
def test_a_delivered_file_that_is_gone_or_cut_is_delivered_again(harm: Callable[[Path], object], bench: Bench) -> None:
    for contact_id in (1, 2):
        bench.store(contact_id)
    bench.run(uris(1, 2))
    whole = bench.delivered()
    harm(bench.root / f"out/{RUN}/data/transcripts/0002/2.json")
    assert bench.run(uris(1, 2)).delivered == 2
    assert bench.delivered() == whole


def test_what_was_faulty_is_delivered_once_the_store_is_fixed(bench: Bench) -> None:
    bench.store(1, b"{")
    assert bench.run(uris(1)).failed == {Reason.TRANSCRIPT_CORRUPT: 1}
    bench.store(1)
    assert bench.run(uris(1)).failed == {}
    assert bench.results()[1].reason is None


@pytest.mark.faults("kill")
def test_a_file_left_by_a_killed_run_goes_when_its_transcript_is_gone_since(bench: Bench) -> None:
    bench.destination.put(f"{RUN}/data/transcripts/0002/1.json", document(1))
    assert bench.run(uris(1)).failed == {Reason.TRANSCRIPT_MISSING: 1}
    assert bench.delivered() == {}


class FullDisk(LocalStorage):
    """A disk with room for so many objects."""

    room = 700

    def put(self, key: str, content: bytes | Path | BinaryIO, *, replace: bool = True) -> Stored:
        if self.room <= 0:
            raise TransientError("STORAGE_FULL", f"Could not write {key}: no space left on device")
        self.room -= 1
        return super().put(key, content, replace=replace)


@pytest.mark.faults("disk")
def test_a_disk_that_fills_up_ends_the_job_and_a_retry_goes_on_where_it_ended(bench: Bench) -> None:
    wanted = uris(*range(1, 1_001))
    for contact_id in wanted:
        bench.store(contact_id)
    with pytest.raises(TransientError, match="STORAGE_FULL"):
        Bench(bench.root, FullDisk(bench.root / "out")).run(wanted)
    before = bench.results()
    assert 500 <= len(before) <= 700
    written = {path.name: path.stat().st_ino for path in (bench.root / "out").rglob("*.json")}
    assert bench.run(wanted).delivered == 1_000
    now = {path.name: path.stat().st_ino for path in (bench.root / "out").rglob("*.json")}
    assert all(now[f"{contact_id}.json"] == written[f"{contact_id}.json"] for contact_id in before)


def _run_and_be_killed(root: Path, at: int) -> None:
    def progress(done: int, total: int) -> None:
        if done >= at:
            os.kill(os.getpid(), signal.SIGKILL)

    Bench(root, LocalStorage(root / "out")).run(uris(*range(1, 1_201)), progress=progress)


@pytest.mark.faults("kill")
@pytest.mark.parametrize("at", [0, 500, 1_000])
def test_a_killed_job_converges(at: int, bench: Bench) -> None:
    for contact_id in range(1, 1_201):
        bench.store(contact_id)
    process = multiprocessing.get_context("forkserver").Process(target=_run_and_be_killed, args=(bench.root, at))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len(bench.results()) == at
    assert bench.run(uris(*range(1, 1_201))).delivered == 1_200
    assert len(bench.delivered()) == len(bench.journal.read()) == 1_200


def test_progress_is_reported_from_start_to_end(bench: Bench) -> None:
    for contact_id in range(1, 701):
        bench.store(contact_id)
    seen: list[tuple[int, int]] = []
    bench.run({**uris(*range(1, 701)), 800: None}, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 701), (500, 701), (701, 701)]


def test_buckets_work_as_directories_do(tmp_path: Path) -> None:
    from obstore.store import MemoryStore

    from bulk_export.storage.objects import ObjectStorage

    bench = Bench(tmp_path, ObjectStorage(MemoryStore(), "memory://"))
    bench.store(1)
    assert bench.run(uris(1, 2)).delivered == 1
    assert bench.run(uris(1, 2)).delivered == 1
    assert set(bench.delivered()) == {"data/transcripts/0002/1.json"}
