"""The marker in the destination is the truth: whoever finds it publishes the run, or withdraws it first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from sqlalchemy import delete
from workbench import Workbench, files_of, unpublish

from bulk_export import pipeline
from bulk_export.bag.verify import verify_run
from bulk_export.errors import RefusedError, TransientError
from bulk_export.maintenance import abandoned_runs, close_abandoned
from bulk_export.runs.marker import settle_marker
from bulk_export.runs.open_run import OpenRun
from bulk_export.stages.stage import load_run
from bulk_export.state.database import transaction
from bulk_export.state.delivered_contacts import delivered_before
from bulk_export.state.items import list_items
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.reservations import usage
from bulk_export.state.tables import deliveries, items, publications
from bulk_export.storage.local import LocalStorage

pytestmark = pytest.mark.faults("kill")

RUN_ID = "dag/run"
MARKER = "tagmanifest-sha256.txt"


@pytest.fixture
def killed(bench: Workbench) -> tuple[Workbench, RunRecord]:
    """A run of an incremental export that was killed behind its marker, its staging area still there."""
    bench.write_settings(licence={"type": "standard", "daily_contacts": 10, "job_contacts": 2})
    bench.contacts(
        [
            *map(bench.call, range(1, 4)),
            bench.call(4, audio_uri="media/gone.wav"),
            bench.call(5, recycled=True),
            bench.call(6),
        ]
    )
    bench.export(incremental=True)
    bench.up_to_publishing(bench.request(run_id=RUN_ID, dag_id="dag", dag_run_id="run", parameters={"limit": 5}))
    pipeline.publish_manifest(bench.site(), RUN_ID)
    record = bench.site().reread(RUN_ID)
    unpublish(bench, record)
    return bench, record


def forget_outcome(bench: Workbench) -> None:
    """As a state database of an earlier hour, or of a release that recorded behind the marker."""
    with transaction(bench.site().engine) as connection:
        for table in (publications, items, deliveries):
            connection.execute(delete(table))


def close_all(bench: Workbench) -> RunRecord:
    for run_id in abandoned_runs(bench.site(), lambda *_: False):
        close_abandoned(bench.site(), run_id, lambda *_: False)
    return bench.site().reread(RUN_ID)


def run_anew(bench: Workbench) -> RunRecord:
    return bench.run(run_id=RUN_ID, dag_id="dag", dag_run_id="run", parameters={"limit": 5})


def clear_what_failed(bench: Workbench) -> RunRecord:
    pipeline.write_audit(bench.site(), RUN_ID, ("publish_manifest",))
    pipeline.publish_manifest(bench.site(), RUN_ID)
    return pipeline.write_audit(bench.site(), RUN_ID)


EVERYBODY = pytest.mark.parametrize("whoever", [close_all, run_anew, clear_what_failed])


def check(bench: Workbench, record: RunRecord, first: RunRecord) -> None:
    assert record.status is RunStatus.COMPLETED_WITH_ERRORS, (record.error_code, record.error_message)
    counted = ("matched", "exported", "masked", "by_status", "by_reason", "jobs", "media_files", "media_bytes")
    for name in (*counted, "transcript_files", "transcript_bytes", "manifest_sha256"):
        assert getattr(record, name) == getattr(first, name), name
    engine = bench.site().engine
    assert usage(engine, "acme", bench.now.date()).used == 4
    delivered = [row for batch in delivered_before(engine, "nightly") for row in batch]
    assert delivered == [(number, bench.call(number)["updated_at"]) for number in (1, 2, 3, 5)]
    assert [(item.contact_id, item.reason) for item in list_items(engine, RUN_ID)] == [
        (4, "MEDIA_MISSING"),
        (5, "RECYCLED"),
        (6, "LIMIT"),
    ]


@pytest.mark.faults("kill")
@EVERYBODY
@pytest.mark.parametrize("known", [True, False])
def test_a_marked_directory_is_adopted_and_left_alone(
    killed: tuple[Workbench, RunRecord], whoever: Callable[[Workbench], RunRecord], known: bool
) -> None:
    bench, first = killed
    if not known:
        forget_outcome(bench)
    before = files_of(bench.directory(first))

    record = whoever(bench)

    check(bench, record, first)
    assert files_of(bench.directory(first)) == before


def add(directory: Path) -> None:
    (directory / "data/extra.txt").write_text("of a killed attempt")


def take(directory: Path) -> None:
    (directory / "data/media/0001/1.wav").unlink()


def cut(directory: Path) -> None:
    path = directory / "data/transcripts/0001/1.json"
    path.write_bytes(path.read_bytes()[:-1])


def empty_marker(directory: Path) -> None:
    (directory / MARKER).write_bytes(b"")


@pytest.mark.faults("kill")
@EVERYBODY
@pytest.mark.parametrize("damage", [add, take, cut, empty_marker])
def test_a_marker_that_is_wrong_is_withdrawn_and_the_run_converges(
    killed: tuple[Workbench, RunRecord], whoever: Callable[[Workbench], RunRecord], damage: Callable[[Path], None]
) -> None:
    bench, first = killed
    damage(bench.directory(first))

    try:
        record = whoever(bench)
    except TransientError as error:  # only publishing was cleared, and files are gone
        assert error.code == "FILES_MISSING"
        record = close_all(bench)
    if record.status is RunStatus.FAILED:
        assert (record.published, record.exported, list_items(bench.site().engine, RUN_ID)) == (False, 0, [])
        assert not (bench.directory(first) / MARKER).exists()
        record = run_anew(bench)

    check(bench, record, first)
    assert verify_run(LocalStorage(bench.directory(first))).faults == ()


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


@pytest.mark.faults("kill")
def test_a_wrong_marker_that_may_not_be_deleted_stops_whoever_would_change_the_directory(
    killed: tuple[Workbench, RunRecord],
) -> None:
    bench, first = killed
    add(bench.directory(first))
    before = files_of(bench.directory(first))

    with pytest.raises(RefusedError, match=rf"STRAY_FILES.*{MARKER}.* may not be deleted"):
        settle_marker(RunWithoutRightToDelete(bench.site(), load_run(bench.site(), RUN_ID).record))

    assert files_of(bench.directory(first)) == before


@pytest.mark.faults("kill")
def test_a_run_whose_directory_cannot_be_asked_stays_open(killed: tuple[Workbench, RunRecord]) -> None:
    bench, first = killed
    exports = bench.root / "exports"
    exports.rename(bench.root / "away")
    exports.symlink_to(exports)  # no answer but an error

    with pytest.raises((TransientError, RefusedError)):
        close_all(bench)
    assert bench.site().reread(RUN_ID).status is RunStatus.RUNNING

    exports.unlink()
    (bench.root / "away").rename(exports)
    check(bench, close_all(bench), first)


def test_a_failed_run_whose_directory_is_finished_is_charged_when_it_is_cleared(
    killed: tuple[Workbench, RunRecord],
) -> None:
    """As an earlier release closed it, which did not ask."""
    bench, first = killed
    (bench.directory(first) / MARKER).rename(bench.root / MARKER)
    assert close_all(bench).status is RunStatus.FAILED
    (bench.root / MARKER).rename(bench.directory(first) / MARKER)

    check(bench, run_anew(bench), first)
