"""Whole runs whose contact store, staging area and destination are buckets of a real server."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from workbench import Workbench, unpublish, write_wav

from bulk_export.bag.verify import verify_run
from bulk_export.cli import main
from bulk_export.pipeline import run_export
from bulk_export.site import Site
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.storage import open_uri
from bulk_export.storage.credentials import Credentials
from bulk_export.storage.retry import RetryPolicy
from fault_proxy import (
    DENIED,
    SLOW_DOWN,
    FaultProxy,
    corrupt,
    fault_proxy,
    lose_answer,
    outage,
    pretend,
    refuse,
    reset_while_sending,
    stall,
    truncate,
)
from servers import SECRETS, S3Server

HURRIED = RetryPolicy(window_s=10, timeout_s=3, connect_s=2, first_pause_s=0.02, longest_pause_s=0.2)
CONTACTS = 12


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[FaultProxy]:
    with fault_proxy(s3_server.endpoint) as running:
        yield running


class Cloud:
    """A workbench whose places are buckets: `calls/<folder>` the store, `exports/<folder>` the rest."""

    def __init__(
        self, bench: Workbench, server: S3Server, endpoint: str, who: str = "owner", *, staging: str = ""
    ) -> None:
        self.bench, self.server, self.who = bench, server, who
        self.folder = f"cloud-{bench.root.name}-{id(bench)}"
        place = {"type": "s3", "bucket": "exports", "region": "us-east-1", "endpoint": endpoint}
        bench.contacts(bench.call(number) for number in range(1, CONTACTS + 1))
        (bench.root / "store/media/3.wav").write_bytes(b"")  # one is faulty, as everywhere
        write_wav(bench.root / "store/media/4.wav", 5)  # large enough for the service to copy it
        for path in (bench.root / "store").rglob("*"):
            if path.is_file():
                key = f"{self.folder}/{path.relative_to(bench.root / 'store').as_posix()}"
                server.client().put_object(Bucket="calls", Key=key, Body=path.read_bytes())
        bench.write_settings(
            contact_store={"type": "parquet", "uri": f"s3://calls/{self.folder}"},
            storage_locations={"archive": {**place, "prefix": f"{self.folder}/out", "connection": "lake"}},
            staging={
                **place,
                "prefix": f"{self.folder}/staging",
                "endpoint": staging or server.endpoint,
                "connection": "own",
            },
        )
        bench.export()

    def site(self) -> Site:
        def credentials(name: str) -> Credentials:
            who = self.who if name == "lake" else "owner"
            return Credentials({"access_key_id": who, "secret_access_key": SECRETS[who]})

        return replace(self.bench.site(), credentials=credentials, retry_policy=HURRIED)

    def run(self, run_id: str) -> RunRecord:
        return run_export(self.site(), self.bench.request(run_id=run_id))

    def delivered(self, record: RunRecord) -> dict[str, bytes]:
        """Every object of the run's directory, as somebody else's client reads it."""
        prefix = f"{self.folder}/out/{record.directory}/"
        client = self.server.client()
        keys = [one["Key"] for one in client.list_objects_v2(Bucket="exports", Prefix=prefix).get("Contents", ())]
        found = {key: client.get_object(Bucket="exports", Key=key)["Body"].read() for key in keys}
        return {key.removeprefix(prefix): content for key, content in found.items()}

    def check(self, record: RunRecord, into: Path) -> None:
        """The bag is whole, and holds the store's very bytes."""
        assert record.status is RunStatus.COMPLETED_WITH_ERRORS, (record.error_code, record.error_message)
        files = self.delivered(record)
        for name, content in files.items():
            path = into / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        report = verify_run(open_uri(str(into), base=into))
        assert report.faults == ()
        assert report.contacts == CONTACTS
        for number in {*range(1, CONTACTS + 1)} - {3}:
            stored = (self.bench.root / f"store/media/{number}.wav").read_bytes()
            assert files[f"data/media/0001/{number}.wav"] == stored
            assert json.loads(files[f"data/transcripts/0001/{number}.json"])["contact_id"] == number
        listed = self.server.client().list_multipart_uploads(Bucket="exports", Prefix=self.folder)
        assert "Uploads" not in listed


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, s3_server: S3Server) -> None:
    """The contact store names no connection: it is reached as a command line reaches it."""
    for name, value in environment_of(s3_server).items():
        monkeypatch.setenv(name, value)


def environment_of(server: S3Server, secret: str = SECRETS["owner"]) -> Mapping[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "owner",
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": "us-east-1",
    }


def test_store_staging_and_destination_may_be_buckets(bench: Workbench, s3_server: S3Server, tmp_path: Path) -> None:
    cloud = Cloud(bench, s3_server, s3_server.endpoint)

    record = cloud.run("cli/whole")

    cloud.check(record, tmp_path / "received")
    left = s3_server.client().list_objects_v2(Bucket="exports", Prefix=f"{cloud.folder}/staging/")
    assert [one["Key"] for one in left.get("Contents", ()) if "write-check" not in one["Key"]] == []


def test_a_destination_that_takes_only_lists_and_puts_is_enough(
    bench: Workbench, s3_server: S3Server, proxy: FaultProxy, tmp_path: Path
) -> None:
    cloud = Cloud(bench, s3_server, proxy.endpoint, who="dropper")
    proxy.plan(DENIED, "HEAD", "DELETE")
    proxy.plan(DENIED, "POST", part="?delete")
    proxy.plan(DENIED, "GET", part=f"{cloud.folder}/out/")

    record = cloud.run("cli/drop")

    cloud.check(record, tmp_path / "received")
    # Published once more, as after a crash before the record was written: the same bytes, over the old ones.
    first = cloud.delivered(record)
    again = cloud.run("cli/drop")
    assert cloud.delivered(again) == first


DAYS: dict[str, Any] = {
    "slow down": lambda proxy: proxy.plan(SLOW_DOWN, "GET", "PUT", "POST", every=3),
    "lost answers": lambda proxy: proxy.plan(lose_answer, "PUT", every=4),
    "cut answers": lambda proxy: proxy.plan(truncate, "GET", "PUT", every=4),
    "resets while bodies are sent": lambda proxy: proxy.plan(reset_while_sending, "PUT", "POST", every=3),
    "stalls": lambda proxy: proxy.plan(stall(4), "GET", "PUT", every=20),
    "an outage in the middle": lambda proxy: proxy.plan(outage(2), "PUT", skip=8, times=1),
}


@pytest.mark.faults("object-storage")
@pytest.mark.parametrize("day", DAYS)
def test_a_run_on_a_bad_day_ends_with_everything_right(
    bench: Workbench, s3_server: S3Server, proxy: FaultProxy, tmp_path: Path, day: str
) -> None:
    cloud = Cloud(bench, s3_server, proxy.endpoint)
    planned = DAYS[day](proxy)

    cloud.check(cloud.run(f"cli/{day}"), tmp_path / "received")

    assert planned.done


@pytest.mark.faults("object-storage")
@pytest.mark.parametrize("day", DAYS)
def test_a_bad_day_of_the_store_and_the_staging_area_too_changes_nothing(
    bench: Workbench, s3_server: S3Server, proxy: FaultProxy, tmp_path: Path, day: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Cloud(bench, s3_server, proxy.endpoint, staging=proxy.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
    planned = DAYS[day](proxy)

    cloud.check(cloud.run(f"cli/{day}"), tmp_path / "received")

    assert planned.done
    copied = f"/calls/{cloud.folder}/media/4.wav"
    assert ("GET", copied) in proxy.requests


@pytest.mark.faults("object-storage")
def test_a_source_that_arrives_damaged_is_read_again(
    bench: Workbench, s3_server: S3Server, proxy: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud = Cloud(bench, s3_server, s3_server.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
    proxy.plan(corrupt, "GET", part="/media/", every=3)
    proxy.plan(corrupt, "GET", part="/transcripts/", every=3)

    cloud.check(cloud.run("cli/damaged"), tmp_path / "received")


@pytest.mark.faults("object-storage")
@pytest.mark.parametrize("code", ["ExpiredToken", "AccessDenied", "RequestTimeTooSkewed"])
def test_a_run_that_is_refused_half_way_converges_when_it_is_tried_again(
    bench: Workbench, s3_server: S3Server, proxy: FaultProxy, tmp_path: Path, code: str
) -> None:
    cloud = Cloud(bench, s3_server, proxy.endpoint)
    proxy.plan(refuse(403, code), "PUT", part="/media/", skip=4)

    failed = cloud.run("cli/half")

    assert failed.status is RunStatus.FAILED
    assert code in (failed.error_message or "")
    assert "tagmanifest-sha256.txt" not in cloud.delivered(failed)
    proxy.calm()
    cloud.check(cloud.run("cli/half"), tmp_path / "received")


@pytest.mark.faults("object-storage")
def test_an_outage_of_forty_seconds_is_outlasted_with_the_patience_that_is_shipped(
    bench: Workbench, s3_server: S3Server, proxy: FaultProxy, tmp_path: Path
) -> None:
    cloud = Cloud(bench, s3_server, proxy.endpoint)
    planned = proxy.plan(outage(40), "PUT", skip=8, times=1)

    record = run_export(replace(cloud.site(), retry_policy=RetryPolicy()), cloud.bench.request(run_id="cli/outlasted"))

    cloud.check(record, tmp_path / "received")
    assert planned.done


@pytest.mark.faults("object-storage")
def test_an_outage_fails_the_run_and_the_next_try_goes_on(
    bench: Workbench, s3_server: S3Server, proxy: FaultProxy, tmp_path: Path
) -> None:
    cloud = Cloud(bench, s3_server, proxy.endpoint)
    site = replace(cloud.site(), retry_policy=RetryPolicy(window_s=0.5, timeout_s=1, connect_s=1))
    proxy.plan(lambda handler, body: bool(setattr(proxy, "down", True)) or bool(handler.cut()) or True, "PUT", skip=8)

    failed = run_export(site, cloud.bench.request(run_id="cli/outage"))

    assert (failed.status, failed.error_code) == (RunStatus.FAILED, "STORAGE_UNREACHABLE")
    proxy.calm()
    proxy.down = True
    threading.Timer(1, proxy.calm).start()
    cloud.check(cloud.run("cli/outage"), tmp_path / "received")


@pytest.mark.faults("object-storage")
@pytest.mark.parametrize("who", ["owner", "dropper"])
@pytest.mark.parametrize(
    "name",
    [
        *("bag-info.txt", "bagit.txt", "/manifest-sha256.txt", "tagmanifest-sha256.txt"),
        *("data/items.csv", "data/export.yaml", "data/contacts.csv", "/1.wav"),
    ],
)
def test_a_file_that_the_service_only_pretends_to_store_is_missed(
    bench: Workbench, s3_server: S3Server, proxy: FaultProxy, tmp_path: Path, name: str, who: str
) -> None:
    cloud = Cloud(bench, s3_server, proxy.endpoint, who)
    planned = proxy.plan(pretend, "PUT", part=name, times=1)

    failed = cloud.run("cli/pretended")

    assert planned.done
    assert (failed.status, failed.error_code, failed.exported) == (RunStatus.FAILED, "FILES_MISSING", 0)
    assert name.strip("/") in failed.error_message
    assert "tagmanifest-sha256.txt" not in cloud.delivered(failed)
    cloud.check(cloud.run("cli/pretended"), tmp_path / "received")


@pytest.mark.faults("object-storage")
def test_a_tag_file_of_other_content_is_no_finished_directory(
    bench: Workbench, s3_server: S3Server, proxy: FaultProxy, tmp_path: Path
) -> None:
    cloud = Cloud(bench, s3_server, proxy.endpoint)

    def store_something_else(handler: Any, body: bytes) -> bool:
        answer = handler.ask(body)
        key = handler.path.partition("?")[0].removeprefix("/exports/")
        s3_server.client().put_object(Bucket="exports", Key=key, Body=b"x" * len(body))
        handler.answer(*answer)
        return True

    proxy.plan(store_something_else, "PUT", part="bag-info.txt", times=1)

    failed = cloud.run("cli/other")

    assert (failed.status, failed.error_code) == (RunStatus.FAILED, "STORAGE_CONFLICT")
    assert "tagmanifest-sha256.txt" not in cloud.delivered(failed)
    cloud.check(cloud.run("cli/other"), tmp_path / "received")


@pytest.mark.faults("kill")
@pytest.mark.parametrize("who", ["owner", "dropper"])
def test_a_run_killed_behind_the_marker_is_published_by_whoever_finds_it(
    bench: Workbench, s3_server: S3Server, tmp_path: Path, who: str
) -> None:
    cloud = Cloud(bench, s3_server, s3_server.endpoint, who)
    first = cloud.run("cli/killed")
    delivered = cloud.delivered(first)
    unpublish(bench, first)

    cloud.check(cloud.run("cli/killed"), tmp_path / "received")

    assert cloud.delivered(first) == delivered


def test_verify_proves_a_remote_run_without_downloading_it(
    bench: Workbench, s3_server: S3Server, proxy: FaultProxy, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    cloud = Cloud(bench, s3_server, s3_server.endpoint)
    record = cloud.run("cli/verified")
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
    uri = f"s3://exports/{cloud.folder}/out/{record.directory}"

    assert main(["verify", uri]) == 0

    read = {path.rpartition("/")[2] for method, path in proxy.requests if method == "GET" and "list-type" not in path}
    assert not {name for name in read if name.endswith((".wav", ".json"))}
    key = f"{cloud.folder}/out/{record.directory}/data/media/0001/1.wav"
    s3_server.client().put_object(Bucket="exports", Key=key, Body=b"other bytes, no digest kept")
    assert main(["verify", uri]) == 1
    assert "data/media/0001/1.wav" in capsys.readouterr().out


def test_check_storage_says_what_is_missing_and_leaves_nothing(
    bench: Workbench, s3_server: S3Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"type": "s3", "bucket": "exports", "prefix": f"rights-{id(bench)}"}
    bench.write_settings(storage_locations={"archive": place, "lake": place | {"bucket": "no-such-bucket"}})
    command = ["--definitions", str(bench.definitions), "check-storage"]

    assert main([*command, "archive"]) == 0
    assert "MISSING" not in capsys.readouterr().out
    assert "Contents" not in s3_server.client().list_objects_v2(Bucket="exports", Prefix=place["prefix"])

    assert main([*command, "lake"]) == 1
    assert "STORAGE_MISSING" in capsys.readouterr().err
    assert main([*command, "archiv"]) == 2
    assert "Did you mean 'archive'?" in capsys.readouterr().err

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS["reader"])
    assert main([*command, "archive"]) == 1
    told = capsys.readouterr().out
    assert "Runs cannot use it: no right to put." in told
    assert "AccessDenied" in told

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "dropper")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS["dropper"])
    assert main([*command, "archive"]) == 0
    told = capsys.readouterr().out
    assert "get     MISSING  optional" in told
    assert main([*command, "staging"]) == 0


@pytest.mark.parametrize("trouble", ["none", "wrong secret", "bad endpoint", "session token"])
def test_no_secret_shows_anywhere(
    bench: Workbench, s3_server: S3Server, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    cloud = Cloud(bench, s3_server, s3_server.endpoint)
    settings = dict(bench.settings)
    place = {key: value for key, value in settings["storage_locations"]["archive"].items() if key != "connection"}
    place.pop("endpoint")
    bench.write_settings(
        storage_locations={"archive": place},
        staging={"type": "local", "path": "../staging"},
        contact_store={"type": "parquet", "uri": "../store"},
    )
    canary = "canary/Secret+Key0123456789"
    variables = dict(environment_of(s3_server))
    if trouble == "wrong secret":
        variables["AWS_SECRET_ACCESS_KEY"] = canary
    elif trouble == "session token":
        variables["AWS_SESSION_TOKEN"] = canary
        variables["AWS_SECRET_ACCESS_KEY"] = canary
    elif trouble == "bad endpoint":
        variables["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
        variables["AWS_SECRET_ACCESS_KEY"] = canary
    command = [sys.executable, "-m", "bulk_export.cli", "--definitions", str(bench.definitions), "run", "nightly"]
    secrets = {canary, SECRETS["owner"]}
    # The command line's own patience is long; a run that cannot connect is stopped, as a person would stop it.
    try:
        done = subprocess.run(
            [*command, "--as-of", "2026-11-23T08:00Z"],
            env={"PATH": "/usr/bin:/bin", "HOME": str(bench.root), **variables},
            check=False,
            capture_output=True,
            timeout=6 if trouble == "bad endpoint" else 60,
        )
        said, code = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired as stopped:
        said, code = (stopped.stdout or b"") + (stopped.stderr or b""), 1

    assert code == (3 if trouble == "none" else 1), said.decode()
    with caplog.at_level(logging.DEBUG):
        cloud.run("cli/canary")
    places = [path for path in bench.root.rglob("*") if path.is_file()]
    for secret in secrets:
        assert secret.encode() not in said
        assert secret not in caplog.text
        for path in places:
            assert secret.encode() not in path.read_bytes(), path
