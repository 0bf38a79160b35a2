"""One more stage: a module of its own and an entry in the registry, and everything else follows."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from workbench import Workbench

from bulk_export import pipeline
from bulk_export.bag.verify import verify_run
from bulk_export.errors import TransientError
from bulk_export.jobs.contact_job import IN_THIS_THREAD, ContactWork, run_contact_job
from bulk_export.jobs.earlier_results import EarlierResults
from bulk_export.runs.open_run import OpenRun
from bulk_export.runs.progress import progress_of
from bulk_export.stage_registry import STAGES, Load, Phase, Results, Stage
from bulk_export.stages.stage import stage
from bulk_export.staging.journal import FileResult
from bulk_export.state.progress import stage_progress
from bulk_export.storage.local import LocalStorage

SUMMARISE = Stage(
    "summarise",
    "Write one line about each contact.",
    Phase.DELIVER,
    label="Summaries",
    per_job=True,
    load=Load.DESTINATION,
    wanted=lambda formats: formats["csv"] == "standard",
    results=Results("summaries", ("summary",), "summary_reason"),
    after=("copy_media",),
    implementation=f"{__name__}:summarise",
)


@dataclass(frozen=True)
class Summarised:
    contact_id: int


@dataclass(frozen=True)
class Summaries:
    """What it does with one contact; the rest is the core's."""

    run: OpenRun
    folder: str

    def result_kinds(self, contact: Summarised) -> tuple[str, ...]:
        return ("summary",)

    def begin(self, contact: Summarised) -> ContactWork:
        path = f"{self.folder}/{contact.contact_id}.txt"
        content = f"Contact {contact.contact_id}\n".encode()
        stored = self.run.destination.put(f"{self.run.record.directory}/{path}", content)
        result = FileResult(contact.contact_id, "summary", path=path, bytes=stored.bytes, sha256=stored.sha256)
        return ContactWork([result])


@stage
def summarise(run: OpenRun, job: int) -> dict[str, int]:
    """What a further stage looks like: a file of each contact delivered, and a result of each in its journal."""
    contacts = run.staging.job(job, ["contact_id"])
    journal, folder = run.staging.journal("summaries", job), f"data/summaries/{job:04d}"
    files: list[FileResult] = []
    run_contact_job(
        Summaries(run, folder),
        [Summarised(contact_id) for contact_id in contacts["contact_id"].to_pylist()],
        without_work=0,
        earlier=EarlierResults(journal, run.destination, run.record.directory, folder),
        journal=journal,
        concurrency=IN_THIS_THREAD,
        count=files.extend,
        progress=run.progress("summarise", job, contacts.num_rows),
    )
    return {"files": len(files)}


@pytest.fixture
def summaries() -> Iterator[None]:
    STAGES.register(SUMMARISE)
    yield
    STAGES.unregister(SUMMARISE.name)


@pytest.fixture
def bench_of_two(bench: Workbench) -> Workbench:
    bench.contacts([bench.call(contact_id) for contact_id in (1, 2)])
    bench.export()
    return bench


@pytest.mark.usefixtures("summaries")
def test_its_files_are_delivered_listed_and_verified(bench_of_two: Workbench) -> None:
    record = bench_of_two.run()

    directory = bench_of_two.directory(record)
    assert (record.status, record.exported) == ("COMPLETED", 2)
    assert (directory / "data/summaries/0001/2.txt").read_text() == "Contact 2\n"
    assert verify_run(LocalStorage(directory)).faults == ()
    with (directory / "data/items.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["summary_file"] for row in rows] == ["data/summaries/0001/1.txt", "data/summaries/0001/2.txt"]
    assert {row["summary_reason"] for row in rows} == {""}


@pytest.mark.usefixtures("summaries")
def test_its_progress_is_that_of_the_run(bench_of_two: Workbench) -> None:
    record = bench_of_two.run()

    progress = progress_of(record, stage_progress(bench_of_two.site().engine, [record.run_id])[record.run_id])

    assert progress.stages == dict.fromkeys(("copy_media", "export_transcripts", "build_csv", "summarise"), (2, 2))


@pytest.mark.usefixtures("summaries")
def test_a_run_of_which_it_says_nothing_is_not_published(bench_of_two: Workbench) -> None:
    request = bench_of_two.request()
    site = bench_of_two.up_to_publishing(request)  # every shipped stage, and not this one

    with pytest.raises(TransientError, match=r"ITEMS_INCOMPLETE.*\n.*copy_media and export_transcripts and summarise"):
        pipeline.publish_manifest(site, request.run_id)


@pytest.mark.usefixtures("summaries")
def test_a_run_that_does_not_want_it_is_published_without(bench_of_two: Workbench) -> None:
    bench_of_two.export(csv="excel")
    request = bench_of_two.request()
    site = bench_of_two.up_to_publishing(request)

    pipeline.publish_manifest(site, request.run_id)

    assert site.reread(request.run_id).published
