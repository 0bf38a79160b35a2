"""The core of per-contact jobs, under a stage made for the test: it delivers each contact's own number."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bulk_export.errors import TransientError
from bulk_export.jobs.contact_job import (
    IN_THIS_THREAD,
    WITH_BUCKETS,
    Concurrency,
    ContactWork,
    fault_result,
    run_contact_job,
)
from bulk_export.jobs.earlier_results import EarlierResults
from bulk_export.jobs.item_fault import ItemFault
from bulk_export.reasons import Reason
from bulk_export.staging.journal import FileKind, FileResult, Journal
from bulk_export.storage.local import LocalStorage

RUN, FOLDER = "weekly/20261123T023000Z_ab12", "data/numbers/0001"
EVERY_WAY = [IN_THIS_THREAD, Concurrency(2, 32, 6), WITH_BUCKETS]


@dataclass(frozen=True)
class Numbered:
    contact_id: int


@dataclass
class Numbers:
    """Writes numbers as text; odd ones take the slow way, those below zero are faults, and 13 is a storage's error."""

    destination: LocalStorage
    unlucky: int = 0
    begun: list[int] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)

    def result_kinds(self, contact: Numbered) -> Collection[FileKind]:
        return {"transcript"}

    def begin(self, contact: Numbered) -> ContactWork:
        self.begun.append(contact.contact_id)
        self.threads.add(threading.current_thread().name)
        if contact.contact_id < 0:
            fault = ItemFault(Reason.TRANSCRIPT_MISSING, "below zero")
            return ContactWork([fault_result(contact.contact_id, "transcript", fault)])
        if contact.contact_id % 2:
            return ContactWork([], lambda: [self.deliver(contact.contact_id)])
        return ContactWork([self.deliver(contact.contact_id)])

    def deliver(self, number: int) -> FileResult:
        if self.unlucky and number == self.unlucky:
            raise TransientError("STORAGE_FULL", "no room for this number")
        path = f"{FOLDER}/{number}.txt"
        stored = self.destination.put(f"{RUN}/{path}", str(number).encode())
        return FileResult(number, "transcript", path=path, bytes=stored.bytes, sha256=stored.sha256)


@dataclass
class Bench:
    root: Path
    reports: list[tuple[int, int]] = field(default_factory=list)
    counted: list[FileResult] = field(default_factory=list)

    @property
    def journal(self) -> Journal:
        return Journal(LocalStorage(self.root / "staging"), "results/numbers/0001")

    def run(self, numbers: Iterator[int] | range, how: Concurrency, *, unlucky: int = 0, without: int = 0) -> Numbers:
        destination = LocalStorage(self.root / "out")
        stage = Numbers(destination, unlucky)
        self.counted.clear()
        run_contact_job(
            stage,
            map(Numbered, numbers),
            without_work=without,
            earlier=EarlierResults(self.journal, destination, RUN, FOLDER),
            journal=self.journal,
            concurrency=how,
            count=self.counted.extend,
            progress=lambda *, contacts_done, bytes_written: self.reports.append((contacts_done, bytes_written)),
        )
        return stage

    def delivered(self) -> dict[int, str]:
        folder = self.root / "out" / RUN / FOLDER
        return {int(path.stem): path.read_text() for path in folder.iterdir()}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("how", EVERY_WAY)
def test_every_contact_ends_with_its_results_in_the_journal_and_is_counted_once(bench: Bench, how: Concurrency) -> None:
    bench.run(range(-50, 1_000), how, without=7)
    assert bench.delivered() == {number: str(number) for number in range(1_000)}
    results = bench.journal.read()
    assert sorted(result.contact_id for result in results) == list(range(-50, 1_000))
    assert {(result.reason, result.detail) for result in results if result.contact_id < 0} == {
        (Reason.TRANSCRIPT_MISSING, "below zero")
    }
    assert sorted(bench.counted, key=lambda result: result.contact_id) == sorted(
        results, key=lambda result: result.contact_id
    )
    assert bench.reports == sorted(bench.reports)
    assert bench.reports[-1] == (1_057, sum(len(str(number)) for number in range(1_000)))
    assert len(list((bench.root / "staging").rglob("part-*.parquet"))) >= 2


@pytest.mark.parametrize("how", EVERY_WAY)
def test_an_error_of_the_storage_ends_the_job_and_the_next_attempt_goes_on(bench: Bench, how: Concurrency) -> None:
    with pytest.raises(TransientError, match="no room for this number"):
        bench.run(range(1_000), how, unlucky=801)
    known = {result.contact_id for result in bench.journal.read()}
    assert 801 not in known
    assert len(known) >= 500
    again = bench.run(range(1_000), how)
    assert set(again.begun) == set(range(1_000)) - known
    assert len(bench.delivered()) == len(bench.journal.read()) == len(bench.counted) == 1_000
    assert bench.reports[-1][0] == 1_000


def test_a_faulty_contact_is_tried_again_and_journaled_only_when_its_result_differs(bench: Bench) -> None:
    bench.run(range(-3, 3), IN_THIS_THREAD)
    parts = len(list((bench.root / "staging").rglob("part-*.parquet")))
    again = bench.run(range(-3, 3), IN_THIS_THREAD)
    assert again.begun == [-3, -2, -1]
    assert len(list((bench.root / "staging").rglob("part-*.parquet"))) == parts


def test_a_delivered_file_that_is_gone_or_of_another_size_is_delivered_again(bench: Bench) -> None:
    bench.run(range(4), IN_THIS_THREAD)
    (bench.root / "out" / RUN / FOLDER / "1.txt").unlink()
    (bench.root / "out" / RUN / FOLDER / "2.txt").write_text("two")
    assert bench.run(range(4), IN_THIS_THREAD).begun == [1, 2]
    assert bench.delivered() == {number: str(number) for number in range(4)}


def test_no_thread_is_started_where_none_is_wanted(bench: Bench) -> None:
    assert bench.run(range(100), IN_THIS_THREAD).threads == {threading.current_thread().name}
    assert len(bench.run(range(100, 300), WITH_BUCKETS).threads) > 1


@pytest.mark.parametrize("how", EVERY_WAY)
def test_a_job_without_contacts_reports_once(bench: Bench, how: Concurrency) -> None:
    bench.run(range(0), how, without=3)
    assert bench.reports == [(3, 0)]
