from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bulk_export.errors import TransientError
from bulk_export.media.faults import MediaLimits
from bulk_export.reasons import Reason
from bulk_export.stages.copy_media import copy_media
from bulk_export.state.progress import list_progress

if TYPE_CHECKING:
    from workbench import Workbench

    from conftest import WithJobs

FOLDER = "data/media/0001"


def test_each_contact_ends_with_its_file_or_a_reason_in_the_jobs_journal(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1), bench.call(2, audio_uri="media/nowhere.wav"), bench.call(3, recycled=True)])
    run = with_jobs(media={"audio_only": "wav"})

    counts = copy_media(run.site, run.record.run_id, 1)

    stored = (bench.root / "store/media/1.wav").read_bytes()
    assert (bench.directory(run.record) / FOLDER / "1.wav").read_bytes() == stored
    results = {result.contact_id: result for result in run.staging.journal("media", 1).read()}
    assert set(results) == {1, 2}
    assert (results[1].path, results[1].bytes) == (f"{FOLDER}/1.wav", len(stored))
    assert results[2].reason is Reason.MEDIA_MISSING
    assert counts == {
        "contacts": 3, "delivered": 1, "faulty": 1, "without": 0, "recycled": 1, "files": 1, "bytes": len(stored),
    }  # fmt: skip


def test_its_progress_counts_contacts_and_bytes(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in (1, 2, 3)])
    run = with_jobs(media={"audio_only": "original"})

    copy_media(run.site, run.record.run_id, 1)

    (known,) = [one for one in list_progress(run.site.engine, run.record.run_id) if one.stage == "copy_media"]
    size = sum(path.stat().st_size for path in (bench.directory(run.record) / FOLDER).iterdir())
    assert (known.job, known.done, known.total, known.bytes) == (1, 3, 3, size)


def test_each_job_delivers_its_own_contacts(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.write_settings(licence={"type": "performance", "job_contacts": 2})
    bench.contacts([bench.call(contact_id) for contact_id in (1, 2, 3)])
    run = with_jobs(media={"audio_only": "wav"})

    copy_media(run.site, run.record.run_id, 2)

    files = sorted(path.relative_to(bench.directory(run.record)) for path in bench.directory(run.record).rglob("*.wav"))
    assert [str(path) for path in files] == ["data/media/0002/3.wav"]


@pytest.mark.parametrize(
    ("export", "parameters"),
    [({"media": {}}, {}), ({"media": {"audio_only": "wav"}}, {"dry_run": True})],
    ids=["no media asked for", "dry run"],
)
def test_without_media_to_deliver_nothing_is_done(
    bench: Workbench, with_jobs: WithJobs, export: dict[str, object], parameters: dict[str, object]
) -> None:
    bench.contacts([bench.call(1)])
    run = with_jobs(**export, parameters=parameters)
    assert copy_media(run.site, run.record.run_id, 1) == {}
    assert not (bench.root / "exports" / run.record.directory / "data").exists()
    assert run.staging.journal("media", 1).read() == []


def test_limits_and_workers_are_those_of_the_installation(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1)])
    bench.write_settings(limits={"megabytes_per_second": 1000, "workers": 1})
    run = with_jobs(media={"audio_only": "wav"})
    site = replace(run.site, media_limits=MediaLimits(max_source_bytes=10))

    copy_media(site, run.record.run_id, 1)

    (result,) = run.staging.journal("media", 1).read()
    assert (result.reason, result.detail.partition(" bytes")[2]) == (Reason.MEDIA_TOO_LARGE, ", the limit is 10")


def test_a_store_that_is_gone_is_an_error_of_the_stage_until_it_is_back(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1)])
    run = with_jobs(media={"audio_only": "wav"})
    (bench.root / "store").rename(bench.root / "away")
    with pytest.raises(TransientError, match="STORAGE_UNREACHABLE"):
        copy_media(run.site, run.record.run_id, 1)
    assert run.site.reread(run.record.run_id).error_code == "STORAGE_UNREACHABLE"

    (bench.root / "away").rename(bench.root / "store")
    assert copy_media(run.site, run.record.run_id, 1)["delivered"] == 1
    assert not run.site.reread(run.record.run_id).error_code
