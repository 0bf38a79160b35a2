"""Whole runs whose catalogue names objects outside of the root: in other folders, and in buckets that refuse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from workbench import Workbench, transcript_of

from bulk_export import pipeline
from bulk_export.errors import TransientError
from bulk_export.pipeline import run_export
from bulk_export.state.records import RunStatus
from fault_proxy import DENIED, fault_proxy
from servers import SECRETS, S3Server

MANY = 24


def act_as(who: str, server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reach buckets as a command line does, with the rights of one of the server's users."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", who)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS[who])
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")


def allow(bench: Workbench, *places: str) -> None:
    bench.write_settings(contact_store={"type": "parquet", "uri": "../store", "allowed": list(places)})


@pytest.fixture
def bucket(bench: Workbench, s3_server: S3Server) -> str:
    """Address of a folder with whole objects."""
    folder = f"elsewhere-{bench.root.name}"
    for number in range(1, MANY + 1):
        for name, content in ((f"{number}.json", json.dumps(transcript_of(number)).encode()), (f"{number}.wav", b"R")):
            s3_server.client().put_object(Bucket="exports", Key=f"{folder}/{name}", Body=content)
    return f"s3://exports/{folder}"


@pytest.fixture(params=["dropper", "owner"])
def refusal(
    bucket: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> tuple[str, str, str]:
    """A place, what the server says of it, and in our words: objects without the right to read, no such bucket."""
    act_as(request.param, s3_server, monkeypatch)
    if request.param == "dropper":
        return bucket, "STORAGE_DENIED", "access denied"
    return "s3://no-such-bucket", "STORAGE_MISSING", "no such storage"


@pytest.mark.parametrize("address", ["{folder}/{name}", "file://{folder}/{name}"])
def test_absolute_addresses_of_files_are_followed(bench: Workbench, address: str) -> None:
    elsewhere = bench.root / "elsewhere"
    elsewhere.mkdir()
    rows = []
    for number, folder in ((1, elsewhere), (2, bench.root / "store")):
        row = bench.call(number)
        for column in ("audio_uri", "transcript_uri"):
            name = row[column]
            if folder == elsewhere:
                (bench.root / "store" / name).rename(elsewhere / Path(name).name)
                name = Path(name).name
            row[column] = address.format(folder=folder, name=name)
        rows.append(row)
    bench.contacts(rows)
    bench.export()

    refused = bench.run()
    assert (refused.status, refused.by_reason) == (RunStatus.COMPLETED_WITH_ERRORS, {"ADDRESS_NOT_ALLOWED": 1})
    allow(bench, "../elsewhere")
    record = bench.run()

    assert (record.status, record.by_reason) == (RunStatus.COMPLETED, {})
    assert sorted(path.name for path in bench.directory(record).glob("data/*/*/*")) == [
        *("1.json", "1.wav", "2.json", "2.wav")
    ]


def test_one_refused_object_is_an_item_among_those_that_can_be_read(
    bench: Workbench, refusal: tuple[str, str, str]
) -> None:
    place, _, words = refusal
    refused = {"audio_uri": f"{place}/3.wav", "transcript_uri": f"{place}/3.json"}
    bench.contacts([bench.call(1), bench.call(2), bench.call(3, **refused)])
    allow(bench, place)
    bench.export()

    record = bench.run()

    item = bench.items(record)[3]
    assert (record.status, record.by_status["delivered"]) == (RunStatus.COMPLETED_WITH_ERRORS, 2)
    assert (item["media_reason"], item["transcript_reason"]) == ("MEDIA_MISSING", "TRANSCRIPT_MISSING")
    assert item["detail"] == f"audio: {words}: 3.wav; {words}"


def test_a_large_transcript_that_is_refused_between_two_requests_is_an_item(
    bench: Workbench, bucket: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as("owner", s3_server, monkeypatch)
    large = json.dumps(transcript_of(2, "x" * 5_000_000)).encode()
    s3_server.client().put_object(Bucket="exports", Key=f"{bucket.removeprefix('s3://exports/')}/2.json", Body=large)
    bench.contacts([bench.call(1), bench.call(2, transcript_uri=f"{bucket}/2.json")])
    allow(bench, bucket)
    bench.export()

    with fault_proxy(s3_server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        planned = proxy.plan(DENIED, "GET", part="/2.json", skip=1)
        record = bench.run()

    assert planned.done
    assert (record.status, record.by_reason) == (RunStatus.COMPLETED_WITH_ERRORS, {"TRANSCRIPT_MISSING": 1})


@pytest.mark.parametrize("kind", ["media", "transcripts"])
def test_a_store_that_refuses_everything_fails_the_run_with_its_own_error(
    bench: Workbench, refusal: tuple[str, str, str], kind: str
) -> None:
    place, code, _ = refusal
    bench.contacts(
        bench.call(number, audio_uri=f"{place}/{number}.wav", transcript_uri=f"{place}/{number}.json")
        for number in range(1, MANY + 1)
    )
    allow(bench, place)
    media = {"audio_only": "original"} if kind == "media" else {}
    bench.export(media=media, transcripts="none" if kind == "media" else "json")

    record = bench.run()

    assert (record.status, record.error_code) == (RunStatus.FAILED, code)
    assert place in record.error_message


@pytest.mark.parametrize(("stage", "name"), [("copy_media", "media"), ("export_transcripts", "transcripts")])
def test_a_directory_that_vanishes_under_a_run_is_an_outage(bench: Workbench, stage: str, name: str) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    bench.export()
    request, site = bench.request(), bench.site()
    pipeline.validate_filters(site, request)
    pipeline.check_quota(site, request.run_id)
    (job,) = pipeline.batch_contacts(site, request.run_id)
    folder = bench.root / "store" / name
    folder.rename(bench.root / "unmounted")

    with pytest.raises(TransientError, match=f"STORAGE_UNREACHABLE: the directory {folder} of the contact store is"):
        getattr(pipeline, stage)(bench.site(), request.run_id, job)

    (bench.root / "unmounted").rename(folder)
    record = run_export(bench.site(), request)
    assert (record.status, record.by_status["delivered"]) == (RunStatus.COMPLETED, 2)


def test_a_directory_that_was_lost_before_makes_its_contacts_items(bench: Workbench) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    bench.export()
    (bench.root / "store/media").rename(bench.root / "lost")
    assert bench.run().by_reason == {"MEDIA_MISSING": 2}


def test_a_deeper_directory_that_retention_removes_makes_its_contacts_items(bench: Workbench) -> None:
    bench.contacts([bench.call(1), bench.call(2, audio_uri="media/2019/2.wav")])
    old = bench.root / "store/media/2019"
    old.mkdir()
    (bench.root / "store/media/2.wav").rename(old / "2.wav")
    bench.export()
    request, site = bench.request(), bench.site()
    pipeline.validate_filters(site, request)
    pipeline.check_quota(site, request.run_id)
    pipeline.batch_contacts(site, request.run_id)
    shutil.rmtree(old)
    assert run_export(bench.site(), request).by_reason == {"MEDIA_MISSING": 1}
