"""Killed at any write from the manifest to the closed record, a run is what its directory says: delivered, or not.

On directories and S3, with SQLite and PostgreSQL; followed by maintenance, by clearing what failed, by running anew.
BULK_EXPORT_FAULTS=all tries each of the three after each write everywhere, instead of one.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attempts import Attempts
from workbench import Workbench

from bulk_export.bag.verify import verify_run
from bulk_export.maintenance import abandoned_runs, clear_old_staging, close_abandoned
from bulk_export.pipeline import publish_manifest, write_audit
from bulk_export.runs.request import RunRequest
from bulk_export.state.delivered_contacts import delivered_before
from bulk_export.state.items import list_items
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.reservations import usage
from bulk_export.state.undelivered import list_undelivered
from bulk_export.storage.base import Storage
from bulk_export.storage.reading import read
from postgres_server import postgres_server  # noqa: F401
from servers import SECRETS, S3Server

pytestmark = [pytest.mark.slow, pytest.mark.faults("kill")]

RUN_ID = "dag/run"
PREFIX = "killed"
MARKER = "tagmanifest-sha256.txt"
# Enough for publishing and the audit to write no more, which the last test shows.
WRITES = 54
# Every write in the first, a quarter of them in each of the others.
PLACES = ("local-sqlite", "local-postgres", "s3-sqlite", "s3-postgres")
FOLLOWED_BY = ("maintenance", "clearing", "running anew")


@dataclass
class Places:
    """A run of an incremental export that has come as far as publishing, to be copied for each case."""

    root: Path
    attempts: Attempts
    s3: Any = None
    postgres: Any = None
    objects: dict[str, bytes] = field(default_factory=dict)

    def copy(self, root: Path, stack: ExitStack) -> Workbench:
        """The same once more, with a state database and a bucket's folder that nothing has touched."""
        shutil.copytree(self.root, root)
        bench = Workbench.at(root)
        if self.postgres is not None:
            url = stack.enter_context(self.postgres.new_database(f"TEMPLATE {self.postgres.database}")).url
            bench.write_settings(state={"url": url})
        if self.s3 is not None:
            empty_folder(self.s3)
            for key, content in self.objects.items():
                self.s3.put_object(Bucket="exports", Key=key, Body=content)
        return bench


@pytest.fixture(scope="module")
def places(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Places]:
    storage, state = request.param.split("-")
    bench = Workbench(tmp_path_factory.mktemp("prepared") / "bench")
    with ExitStack() as stack, pytest.MonkeyPatch.context() as environment:
        made = Places(bench.root, None)  # type: ignore[arg-type]
        if storage == "s3":
            made.s3 = use_s3(bench, request.getfixturevalue("s3_server"), environment)
        if state == "postgres":
            made.postgres = stack.enter_context(request.getfixturevalue("postgres_server").new_database())
            bench.write_settings(state={"url": made.postgres.url})
        made.attempts = Attempts()  # with the environment as it is now
        stack.callback(made.attempts.end)
        bench.write_settings(licence={"type": "standard", "daily_contacts": 10, "job_contacts": 2})
        bench.contacts([*map(bench.call, range(1, 4)), bench.call(4, audio_uri="media/gone.wav")])
        bench.export(incremental=True)
        bench.up_to_publishing(request_of(bench))
        if made.s3 is not None:
            made.objects = objects_of(made.s3)
        yield made


def use_s3(bench: Workbench, server: S3Server, environment: pytest.MonkeyPatch) -> Any:
    place = {"type": "s3", "bucket": "exports", "prefix": PREFIX, "region": "us-east-1", "endpoint": server.endpoint}
    bench.write_settings(storage_locations={"archive": place})
    environment.setenv("AWS_ACCESS_KEY_ID", "owner")
    environment.setenv("AWS_SECRET_ACCESS_KEY", SECRETS["owner"])
    empty_folder(server.client())
    return server.client()


def empty_folder(client: Any) -> None:
    for key in objects_of(client):
        client.delete_object(Bucket="exports", Key=key)


def objects_of(client: Any) -> dict[str, bytes]:
    listed = client.list_objects_v2(Bucket="exports", Prefix=PREFIX).get("Contents", ())
    return {one["Key"]: client.get_object(Bucket="exports", Key=one["Key"])["Body"].read() for one in listed}


def request_of(bench: Workbench) -> RunRequest:
    return bench.request(run_id=RUN_ID, dag_id="dag", dag_run_id="run")


def destination(bench: Workbench) -> tuple[Storage, RunRecord]:
    site = bench.site()
    return site.open_location(site.settings.storage_locations["archive"]), site.reread(RUN_ID)


def delivered(bench: Workbench) -> dict[str, bytes]:
    storage, record = destination(bench)
    return {entry.key: read(storage, entry.key) for entry in storage.list(f"{record.directory}/")}


def marked(files: dict[str, bytes]) -> bool:
    return any(key.endswith(f"/{MARKER}") for key in files)


def used(bench: Workbench) -> int:
    return usage(bench.site().engine, "acme", bench.now.date()).used


def remembered(bench: Workbench) -> tuple[list[int], list[int]]:
    """Contacts the export has delivered, and those it has still to deliver."""
    engine = bench.site().engine
    rows = [row for batch in delivered_before(engine, "nightly") for row in batch]
    return [contact_id for contact_id, _ in rows], list_undelivered(engine, "nightly")


def check_delivered(bench: Workbench, record: RunRecord) -> None:
    storage, _ = destination(bench)
    assert verify_run(storage, record.directory).faults == ()
    assert record.status is RunStatus.COMPLETED_WITH_ERRORS, (record.error_code, record.error_message)
    assert (record.matched, record.exported, record.by_reason, record.jobs) == (4, 3, {"MEDIA_MISSING": 1}, 2)
    assert (record.media_files, record.transcript_files, record.error_code) == (3, 4, "")
    assert used(bench) == 3
    assert remembered(bench) == ([1, 2, 3], [4])
    assert [item.contact_id for item in list_items(bench.site().engine, RUN_ID)] == [4]


def close_by_maintenance(bench: Workbench) -> RunRecord:
    """A pass of the maintenance DAG; closed already where the run was killed at the very end."""
    for run_id in abandoned_runs(bench.site(), lambda *_: False):
        close_abandoned(bench.site(), run_id, lambda *_: False)
    clear_old_staging(bench.site())
    record = bench.site().reread(RUN_ID)
    if marked(delivered(bench)):
        check_delivered(bench, record)
    else:
        assert (record.status, record.published, record.exported, used(bench)) == (RunStatus.FAILED, False, 0, 0)
        assert remembered(bench) == ([], [1, 2, 3, 4])
        assert list_items(bench.site().engine, RUN_ID) == []
    return record


def go_on(bench: Workbench, how: str) -> RunRecord:
    if how == "maintenance":
        bench.now += timedelta(minutes=5)
        if close_by_maintenance(bench).published:
            return bench.site().reread(RUN_ID)
        bench.up_to_publishing(request_of(bench))
    if how == "clearing":
        write_audit(bench.site(), RUN_ID, ("publish_manifest",))
    if how == "running anew":
        bench.up_to_publishing(request_of(bench))
    publish_manifest(bench.site(), RUN_ID)
    return write_audit(bench.site(), RUN_ID)


def cases() -> list[Any]:
    every = os.environ.get("BULK_EXPORT_FAULTS") == "all"
    return [
        (place, write, how)
        for rest, place in enumerate(PLACES)
        for write in range(1, WRITES + 1)
        for number, how in enumerate(FOLLOWED_BY)
        if every or (number == write % len(FOLLOWED_BY) and (not rest or rest == write % len(PLACES)))
    ]


@pytest.mark.parametrize(("places", "fatal_write", "followed_by"), cases(), indirect=["places"])
def test_a_run_killed_while_it_is_published_is_what_its_directory_says(
    places: Places, tmp_path: Path, fatal_write: int, followed_by: str
) -> None:
    with ExitStack() as stack:
        bench = places.copy(tmp_path / "bench", stack)
        code, writes = places.attempts.publish(bench.root, RUN_ID, fatal_write)
        assert code == -signal.SIGKILL or writes < fatal_write
        at_kill = delivered(bench)

        record = go_on(bench, followed_by)

        check_delivered(bench, record)
        if marked(at_kill):  # what was proven has not changed under the receiver
            assert delivered(bench) == at_kill
        assert [path for path in (bench.root / "staging").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("places", PLACES, indirect=True)
def test_the_writes_above_cover_all_of_publishing(places: Places, tmp_path: Path) -> None:
    with ExitStack() as stack:
        bench = places.copy(tmp_path / "bench", stack)

        code, writes = places.attempts.publish(bench.root, RUN_ID, 10_000)

        assert code == 0
        assert WRITES - 8 <= writes < WRITES
        check_delivered(bench, bench.site().reread(RUN_ID))
