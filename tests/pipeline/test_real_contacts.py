"""Recorded speech and real dialogues go through whole, and every dirty file is an item with its reason."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import bagit
import jsonschema
import lxml.etree
import pyarrow.parquet as pq
import pytest
from workbench import Workbench, read_csv

from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.transcripts.schemas import schema_text

STORE = Path(__file__).parents[3] / "shared/data/real-contacts"
pytestmark = pytest.mark.skipif(not STORE.is_dir(), reason=f"the store of real contacts is not at {STORE}")

WITHIN_S = 0.1


@pytest.fixture(scope="module")
def catalogue() -> dict[int, dict[str, Any]]:
    rows = [row for path in sorted((STORE / "contacts").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    return {row["contact_id"]: row for row in rows}


@pytest.fixture(
    scope="module",
    params=[
        ({"audio_video": "mp4", "audio_only": "mp3"}, "xml"),
        ({"audio_video": "original", "audio_only": "original"}, "json"),
    ],
    ids=["mp4-mp3-xml", "original-json"],
)
def delivered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workbench, RunRecord]:
    media, transcripts = request.param
    bench = Workbench(tmp_path_factory.mktemp("real"))
    bench.write_settings(
        contact_store={"type": "parquet", "uri": str(STORE)}, exportable_metadata=["account-key", "service-key"]
    )
    bench.export(media=media, transcripts=transcripts)
    return bench, bench.run()


def seconds_of(path: Path) -> float:
    """How long a player plays it: the container's word, after everything in it has been decoded without a fault."""
    with av.open(str(path)) as container:
        decoded = sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))
        assert container.duration is not None
        seconds = container.duration / av.time_base
    assert decoded == pytest.approx(seconds, abs=0.3)
    return seconds


def dirty_media(catalogue: dict[int, dict[str, Any]]) -> Iterator[int]:
    """Contacts whose audio is not there, or not of the size it was recorded with."""
    for contact_id, row in catalogue.items():
        if row["audio_uri"] and not (row["recycled"] or row["is_root"]):
            path = STORE / row["audio_uri"]
            if not path.exists() or path.stat().st_size != row["audio_bytes"]:
                yield contact_id


def dirty_transcripts(catalogue: dict[int, dict[str, Any]]) -> Iterator[int]:
    for contact_id, row in catalogue.items():
        if row["transcript_uri"] and not (row["recycled"] or row["is_root"]):
            try:
                document = json.loads((STORE / row["transcript_uri"]).read_bytes())
                whole = document["schema"] == "transcript-1.0" and document["segments"] is not None
            except (ValueError, KeyError, TypeError, OSError):
                whole = False
            if not whole:
                yield contact_id


def test_every_contact_is_delivered_masked_or_faulty_for_a_reason(
    delivered: tuple[Workbench, RunRecord], catalogue: dict[int, dict[str, Any]]
) -> None:
    bench, record = delivered
    items = bench.items(record)

    assert (record.status, record.matched, record.roots) == (RunStatus.COMPLETED_WITH_ERRORS, 401, 5)
    assert set(items) == {number for number, row in catalogue.items() if not row["is_root"]}
    recycled = {number for number, row in catalogue.items() if row["recycled"] and not row["is_root"]}
    assert {number for number, item in items.items() if item["status"] == "masked"} == recycled
    media_faults = {number for number, item in items.items() if item["media_reason"].startswith("MEDIA_")}
    assert media_faults == set(dirty_media(catalogue))
    transcript_faults = {
        number for number, item in items.items() if item["transcript_reason"].startswith("TRANSCRIPT_")
    }
    assert transcript_faults == set(dirty_transcripts(catalogue))
    faulty = {number for number, item in items.items() if item["status"] == "faulty"}
    assert faulty == media_faults | transcript_faults
    assert record.exported == 401 - len(faulty)
    assert record.quota_used == record.exported


def test_the_bag_is_valid_and_the_table_has_every_contact(delivered: tuple[Workbench, RunRecord]) -> None:
    bench, record = delivered
    directory = bench.directory(record)

    assert bagit.Bag(str(directory)).validate()
    rows = read_csv(directory / "data/contacts.csv")
    assert len(rows) == 401
    assert all(len(row) == 59 for row in rows)
    masked = [row for row in rows if row["Last Name"] == "######"]
    assert len(masked) == 7
    assert all(value == "######" for row in masked for name, value in row.items() if name != "Contact ID")
    assert not any(row["Subject"].startswith(("=", "@")) for row in rows)


def test_everything_delivered_is_playable_and_as_long_as_what_was_stored(
    delivered: tuple[Workbench, RunRecord], catalogue: dict[int, dict[str, Any]]
) -> None:
    bench, record = delivered
    checked = 0
    for number, item in bench.items(record).items():
        if not item["media_file"]:
            continue
        row, path = catalogue[number], bench.directory(record) / item["media_file"]
        stored = seconds_of(STORE / row["audio_uri"])
        found = seconds_of(path)
        assert abs(found - stored) < WITHIN_S, (number, found, stored)
        if path.suffix == ".mp4":
            with av.open(str(path)) as container:
                assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
                assert sum(1 for _ in container.decode(video=0)) > 0
        checked += 1
    assert checked == record.media_files - sum(1 for item in bench.items(record).values() if item["screen_file"])
    assert checked > 100


def test_every_transcript_delivered_is_valid_against_its_schema(delivered: tuple[Workbench, RunRecord]) -> None:
    bench, record = delivered
    files = sorted((bench.directory(record) / "data/transcripts").rglob("*.*"))
    xsd = lxml.etree.XMLSchema(lxml.etree.fromstring(schema_text("transcript-1.0.xsd").encode()))
    validator = jsonschema.Draft202012Validator(json.loads(schema_text("transcript-1.0.schema.json")))
    for path in files:
        if path.suffix == ".xml":
            xsd.assertValid(lxml.etree.parse(path))
        else:
            validator.validate(json.loads(path.read_bytes()))
    assert len(files) == record.transcript_files == 371
