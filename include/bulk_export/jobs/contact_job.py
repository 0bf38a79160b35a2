"""Run one stage for every contact of a job.

Resuming, bounded work in flight, the journal in parts and progress are the same for all such stages.

What is done with one contact is the stage's own (`ContactStage`); what it cannot deliver becomes a result with a
reason. Results go to the journal in parts, so a task that was killed goes on where the journal ends. Only a bounded
number of contacts is under way, so memory does not grow with what they deliver.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, Protocol, TypeVar

from bulk_export.jobs.earlier_results import EarlierResults
from bulk_export.jobs.item_fault import ItemFault
from bulk_export.jobs.progress import ReportProgress
from bulk_export.staging.journal import FileKind, FileResult, Journal
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import LocalPaths

_SLOW_PER_THREAD = 16  # contacts waiting for each thread that does the slow rest
_PART_CONTACTS = 500
_PART_S = 5.0


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How contacts are spread over threads.

    Attributes:
        threads: that begin contacts; 0 for none but the caller's own.
        batch: contacts per hand-over to one.
        in_flight: hand-overs under way.
    """

    threads: int
    batch: int = 1
    in_flight: int = 1


IN_THIS_THREAD = Concurrency(0)
WITH_BUCKETS = Concurrency(24, 4, 48)  # 30 ms an answer and two answers a file are 400 files/s


def concurrency_for(source: Storage, destination: Storage, between_disks: Concurrency) -> Concurrency:
    """How to spread contacts over threads.

    As the stage does between this machine's disks; over many where a bucket's answers are waited for.
    """
    local = isinstance(source, LocalPaths) and isinstance(destination, LocalPaths)
    return between_disks if local else WITH_BUCKETS


@dataclass(frozen=True, slots=True)
class ContactWork:
    """A contact under way.

    Attributes:
        results: what has become of its files.
        rest: does what is slow and gives its results; None when nothing is left.
    """

    results: list[FileResult]
    rest: Callable[[], list[FileResult]] | None = None


class JobContact(Protocol):
    """A contact with what one stage needs to know of it."""

    @property
    def contact_id(self) -> int:
        """The contact's id."""
        ...


AnyContact = TypeVar("AnyContact", bound=JobContact)
Handled = TypeVar("Handled", bound=JobContact, contravariant=True)


class ContactStage(Protocol[Handled]):
    """What a stage does with one contact, in several threads."""

    def result_kinds(self, contact: Handled) -> Collection[FileKind]:
        """Kinds of the results the contact shall have."""
        ...

    def begin(self, contact: Handled) -> ContactWork:
        """Do all that is quick.

        Whatever is wrong with the contact's files becomes a result.
        """
        ...


def fault_result(contact_id: int, kind: FileKind, fault: ItemFault) -> FileResult:
    """The result of a file that cannot be delivered."""
    return FileResult(contact_id, kind, fault.reason, fault.detail)


def run_contact_job(
    stage: ContactStage[AnyContact],
    contacts: Iterable[AnyContact],
    *,
    without_work: int,
    earlier: EarlierResults,
    journal: Journal,
    concurrency: Concurrency,
    count: Callable[[list[FileResult]], None],
    progress: ReportProgress,
    report_start: bool = False,
    slow_threads: int = 1,
    stop: Callable[[], None] = lambda: None,
) -> None:
    """Give every contact its results.

    Those of earlier attempts that are still right stay.

    Args:
        stage: what is done with one contact.
        contacts: those that shall have results.
        without_work: other contacts of the job, which count as done.
        earlier: what earlier attempts achieved.
        journal: gets every new result.
        concurrency: threads that begin contacts.
        count: called with each contact's results, earlier ones included.
        progress: called after every part of the journal.
        report_start: call it once before the first contact too; each call costs statements in the state database.
        slow_threads: threads that do what `begin` leaves.
        stop: ends what those are doing, so that an error need not wait for it.

    Raises:
        BulkExportError: of the stage; the journal keeps what was done before.
    """
    attempt = _Attempt(stage, journal, earlier, count, progress, without_work)
    todo = attempt.resume(contacts)
    if report_start:
        attempt.report()
    attempt.work_through(iter(todo), concurrency, max(1, slow_threads), stop)


class _Attempt(Generic[AnyContact]):
    """One attempt at a job: feeds threads, gathers results, writes the journal."""

    def __init__(
        self,
        stage: ContactStage[AnyContact],
        journal: Journal,
        earlier: EarlierResults,
        count: Callable[[list[FileResult]], None],
        progress: ReportProgress,
        contacts_done: int,
    ) -> None:
        self._stage, self._journal, self._earlier = stage, journal, earlier
        self._count, self._progress = count, progress
        self._contacts_done, self._bytes_written, self._reported = contacts_done, 0, False
        self._part: list[FileResult] = []
        self._part_contacts, self._part_began = 0, time.monotonic()

    def resume(self, contacts: Iterable[AnyContact]) -> list[AnyContact]:
        """Count what earlier attempts have done, and return the contacts that are left."""
        todo = []
        for contact in contacts:
            results = self._earlier.up_to_date(contact.contact_id, self._stage.result_kinds(contact))
            if results is None:
                todo.append(contact)
            else:
                self._add(results)
        return todo

    def work_through(
        self, todo: Iterator[AnyContact], concurrency: Concurrency, slow_threads: int, stop: Callable[[], None]
    ) -> None:
        """Return when every contact has its results."""
        if not concurrency.threads:
            pools: tuple[ThreadPoolExecutor, ...] = ()
        else:
            quick = ThreadPoolExecutor(concurrency.threads, thread_name_prefix="contacts-begin")
            pools = (quick, ThreadPoolExecutor(slow_threads, thread_name_prefix="contacts-finish"))
        try:
            if pools:
                self._in_threads(todo, concurrency, slow_threads, *pools)
            else:
                self._in_this_thread(todo)
        except BaseException:
            stop()
            for pool in pools:
                pool.shutdown(wait=False, cancel_futures=True)
            with suppress(Exception):  # the first error is the one to report
                self._write_part()
            raise
        finally:
            for pool in pools:
                pool.shutdown(wait=True)
        if self._part_contacts or not self._reported:
            self._write_part()

    def _in_this_thread(self, todo: Iterator[AnyContact]) -> None:
        for contact in todo:
            work = self._stage.begin(contact)
            self._record(work.results if work.rest is None else _finish(work))
            self._write_part_when_due()

    def _in_threads(
        self,
        todo: Iterator[AnyContact],
        concurrency: Concurrency,
        slow_threads: int,
        quick: ThreadPoolExecutor,
        slow: ThreadPoolExecutor,
    ) -> None:
        beginning: set[Future[list[ContactWork]]] = set()
        finishing: set[Future[list[FileResult]]] = set()
        more = True
        while more or beginning or finishing:
            while more and len(beginning) < concurrency.in_flight and len(finishing) < _SLOW_PER_THREAD * slow_threads:
                batch = list(islice(todo, concurrency.batch))
                if batch:
                    beginning.add(quick.submit(self._begin_all, batch))
                else:
                    more = False
            if not beginning and not finishing:
                break
            everything: set[Future[Any]] = {*beginning, *finishing}
            done, _ = wait(everything, timeout=_PART_S, return_when=FIRST_COMPLETED)
            for future in beginning & done:
                for work in future.result():
                    if work.rest is None:
                        self._record(work.results)
                    else:
                        finishing.add(slow.submit(_finish, work))
            for finished in finishing & done:
                self._record(finished.result())
            beginning -= done
            finishing -= done
            self._write_part_when_due()

    def _begin_all(self, batch: list[AnyContact]) -> list[ContactWork]:
        return [self._stage.begin(contact) for contact in batch]

    def _record(self, results: list[FileResult]) -> None:
        self._add(results)
        self._part += self._earlier.unknown(results)
        self._part_contacts += 1

    def _add(self, results: list[FileResult]) -> None:
        self._count(results)
        self._contacts_done += 1
        self._bytes_written += sum(result.bytes for result in results)

    def _write_part_when_due(self) -> None:
        # By time too, with nothing new in it: whoever watches sees that a long conversion is alive.
        if self._part_contacts >= _PART_CONTACTS or time.monotonic() - self._part_began > _PART_S:
            self._write_part()

    def _write_part(self) -> None:
        self._journal.append(sorted(self._part, key=lambda result: result.contact_id))
        self._part, self._part_contacts, self._part_began = [], 0, time.monotonic()
        self.report()

    def report(self) -> None:
        """Say how far the job is."""
        self._reported = True
        self._progress(contacts_done=self._contacts_done, bytes_written=self._bytes_written)


def _finish(work: ContactWork) -> list[FileResult]:
    return [*work.results, *(work.rest() if work.rest is not None else ())]
