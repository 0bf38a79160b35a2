"""A run is published when what the manifest names is stored, and nothing else; else it says what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bulk_export import pipeline
from bulk_export.bag.verify import verify_run
from bulk_export.errors import RefusedError, TransientError
from bulk_export.runs.open_run import OpenRun
from bulk_export.stages.publish_manifest import publish_manifest
from bulk_export.state.items import list_items
from bulk_export.storage.local import LocalStorage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workbench import Workbench

    from conftest import WithJobs


def deliver(run: OpenRun) -> None:
    for job in run.staging.jobs():
        pipeline.copy_media(run.site, run.record.run_id, job)
        pipeline.export_transcripts(run.site, run.record.run_id, job)
    pipeline.build_csv(run.site, run.record.run_id)


@pytest.fixture
def delivered(bench: Workbench, with_jobs: WithJobs) -> OpenRun:
    """A run of two contacts, one of them without its media, that is ready to be published."""
    bench.contacts([bench.call(1), bench.call(2, audio_uri="media/nowhere.wav")])
    run = with_jobs()
    deliver(run)
    return run


def test_the_directory_becomes_a_bag_and_the_record_says_what_is_in_it(bench: Workbench, delivered: OpenRun) -> None:
    counts = publish_manifest(delivered.site, delivered.record.run_id)

    record = delivered.site.reread(delivered.record.run_id)
    assert counts == {"matched": 2, "exported": 1, "masked": 0}
    assert (record.published, record.jobs, record.media_files, record.transcript_files) == (True, 1, 1, 2)
    assert record.by_status == {"delivered": 1, "masked": 0, "faulty": 1, "deferred": 0, "already_delivered": 0}
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()
    assert [(item.contact_id, item.reason) for item in list_items(delivered.site.engine, record.run_id)] == [
        (2, "MEDIA_MISSING")
    ]


def test_what_no_result_names_is_deleted_before_publishing(bench: Workbench, delivered: OpenRun) -> None:
    strays = [bench.directory(delivered.record) / f"data/{name}" for name in ("aaa", "media/0001/9.wav", "zz%\n")]
    for path in strays:
        path.write_text("of a killed attempt")

    publish_manifest(delivered.site, delivered.record.run_id)

    assert [path for path in strays if path.exists()] == []
    assert verify_run(LocalStorage(bench.directory(delivered.record))).faults == ()


@pytest.mark.parametrize("change", ["gone", "truncated"])
def test_a_file_that_is_gone_or_truncated_is_delivered_again_first(
    bench: Workbench, delivered: OpenRun, change: str
) -> None:
    path = bench.directory(delivered.record) / "data/media/0001/1.wav"
    stray = bench.directory(delivered.record) / "data/stray"
    stray.write_text("kept until the rest is complete")
    path.unlink() if change == "gone" else path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(TransientError, match=r"FILES_MISSING: 1 files .* such as .*/data/media/0001/1\.wav"):
        publish_manifest(delivered.site, delivered.record.run_id)

    assert stray.exists()
    assert not delivered.site.reread(delivered.record.run_id).published


class WithoutRightToDelete(LocalStorage):
    """A directory whose exporter may write and not delete."""

    def delete(self, keys: Iterable[str]) -> None:
        if list(keys):
            raise RefusedError("STORAGE_DENIED", "deleting is not allowed")


class RunWithoutRightToDelete(OpenRun):
    """A run that delivers to such a directory."""

    @property
    def destination(self) -> LocalStorage:  # type: ignore[override]
        return WithoutRightToDelete(self.site.definitions.parent / "exports")


def test_strays_that_may_not_be_deleted_are_counted_and_one_is_named(bench: Workbench, delivered: OpenRun) -> None:
    for name in ("stray-1", "stray-2"):
        (bench.directory(delivered.record) / f"data/{name}").write_text("of a killed attempt")

    with pytest.raises(RefusedError, match=r"STRAY_FILES: 2 files .* such as .*/data/stray-1"):
        publish_manifest.__wrapped__(RunWithoutRightToDelete(delivered.site, delivered.record))  # type: ignore[attr-defined]

    assert not delivered.site.reread(delivered.record.run_id).published


def test_files_of_two_jobs_are_named_by_one_manifest(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.write_settings(licence={"type": "performance", "job_contacts": 1})
    bench.contacts([bench.call(1), bench.call(2)])
    run = with_jobs()
    deliver(run)

    publish_manifest(run.site, run.record.run_id)

    manifest = (bench.directory(run.record) / "manifest-sha256.txt").read_text()
    assert [line.split("  ")[1] for line in manifest.splitlines() if "media" in line] == [
        "data/media/0001/1.wav",
        "data/media/0002/2.wav",
    ]


def test_a_stage_that_was_skipped_is_noticed(bench: Workbench, with_jobs: WithJobs) -> None:
    bench.contacts([bench.call(1)])
    run = with_jobs()
    pipeline.copy_media(run.site, run.record.run_id, 1)
    pipeline.build_csv(run.site, run.record.run_id)

    with pytest.raises(TransientError, match="ITEMS_INCOMPLETE"):
        publish_manifest(run.site, run.record.run_id)


def test_a_published_directory_is_left_alone(bench: Workbench, delivered: OpenRun) -> None:
    first = publish_manifest(delivered.site, delivered.record.run_id)
    (bench.directory(delivered.record) / "data/added.txt").write_text("by the receiver")

    assert publish_manifest(delivered.site, delivered.record.run_id) == first

    assert (bench.directory(delivered.record) / "data/added.txt").exists()
