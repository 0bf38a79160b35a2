from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bulk_export.reasons import Reason
from bulk_export.stages.export_transcripts import export_transcripts
from bulk_export.state.progress import list_progress

if TYPE_CHECKING:
    from workbench import Workbench

    from conftest import WithJobs

FOLDER = "data/transcripts/0001"


@pytest.mark.parametrize("format", ["json", "xml"])
def test_each_contact_ends_with_its_transcript_or_a_reason_in_the_jobs_journal(
    bench: Workbench, with_jobs: WithJobs, format: str
) -> None:
    bench.contacts([bench.call(1), bench.call(2, transcript=False), bench.call(3, recycled=True), bench.call(4)])
    (bench.root / "store/transcripts/4.json").write_text("{")
    run = with_jobs(transcripts=format)

    counts = export_transcripts(run.site, run.record.run_id, 1)

    (file,) = (bench.directory(run.record) / FOLDER).iterdir()
    assert file.name == f"1.{format}"
    results = {result.contact_id: result for result in run.staging.journal("transcripts", 1).read()}
    assert {contact_id: result.reason for contact_id, result in results.items()} == {
        1: None,
        2: Reason.NO_TRANSCRIPT,
        4: Reason.TRANSCRIPT_CORRUPT,
    }
    assert (results[1].path, results[1].bytes) == (f"{FOLDER}/1.{format}", file.stat().st_size)
    assert (counts["delivered"], counts["bytes"], counts["recycled"]) == (1, file.stat().st_size, 1)


def test_its_progress_counts_contacts_as_done_and_bytes_as_bytes(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in (1, 2, 3)] + [bench.call(4, transcript=False)])
    run = with_jobs(transcripts="json")

    export_transcripts(run.site, run.record.run_id, 1)

    (known,) = [one for one in list_progress(run.site.engine, run.record.run_id) if one.stage == "export_transcripts"]
    size = sum(path.stat().st_size for path in (bench.directory(run.record) / FOLDER).iterdir())
    assert (known.job, known.done, known.total, known.bytes) == (1, 4, 4, size)
    assert size > 300


def test_a_second_attempt_counts_the_bytes_of_the_first(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in (1, 2, 3)])
    (bench.root / "store/transcripts/2.json").rename(bench.root / "late.json")
    run = with_jobs(transcripts="json")
    first = export_transcripts(run.site, run.record.run_id, 1)
    (bench.root / "late.json").rename(bench.root / "store/transcripts/2.json")

    second = export_transcripts(run.site, run.record.run_id, 1)

    size = sum(path.stat().st_size for path in (bench.directory(run.record) / FOLDER).iterdir())
    (known,) = [one for one in list_progress(run.site.engine, run.record.run_id) if one.stage == "export_transcripts"]
    assert (first["delivered"], second["delivered"]) == (2, 3)
    assert (second["bytes"], known.bytes, known.done) == (size, size, 3)


@pytest.mark.parametrize(
    ("export", "parameters"),
    [({"transcripts": "none"}, {}), ({"transcripts": "xml"}, {"dry_run": True})],
    ids=["no transcripts asked for", "dry run"],
)
def test_without_transcripts_to_deliver_nothing_is_done(
    bench: Workbench, with_jobs: WithJobs, export: dict[str, object], parameters: dict[str, object]
) -> None:
    bench.contacts([bench.call(1)])
    run = with_jobs(**export, parameters=parameters)
    assert export_transcripts(run.site, run.record.run_id, 1) == {}
    assert run.staging.journal("transcripts", 1).read() == []


def test_what_is_delivered_is_the_transcript_that_is_stored(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1)])
    run = with_jobs(transcripts="json")
    export_transcripts(run.site, run.record.run_id, 1)
    delivered = json.loads((bench.directory(run.record) / FOLDER / "1.json").read_text())
    assert delivered == json.loads((bench.root / "store/transcripts/1.json").read_text())
