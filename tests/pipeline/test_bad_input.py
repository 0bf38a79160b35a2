"""Whatever definitions, store or storage hold, a run ends in a clear error or a reasoned item."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workbench import Workbench, files_of, transcript_of, write_wav

from bulk_export.bag.verify import verify_run
from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.storage.local import LocalStorage


def refused(bench: Workbench, code: str, *words: str, **run: Any) -> RunRecord:
    """Run, and see that the audit says what is wrong, where, and what to do, and that nothing was delivered."""
    record = bench.run(**run)
    assert (record.status, record.error_code) == (RunStatus.FAILED, code)
    for word in words:
        assert word in record.error_message
    assert record.error_hint
    assert record.ended_at is not None
    assert not list((bench.root / "exports").rglob("tagmanifest-sha256.txt"))
    return record


@pytest.mark.faults("disk")
def test_a_destination_that_cannot_be_written_is_named_before_anything_is_done(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    (bench.root / "blocker").write_text("a file where a directory should be")
    bench.write_settings(storage_locations={"archive": {"type": "local", "path": "../blocker/exports"}})
    bench.export()

    record = refused(bench, "STORAGE_MISSING", "blocker/exports")

    assert (record.failed_stage, record.matched) == ("validate_filters", None)


@pytest.mark.faults("disk")
@pytest.mark.slow
def test_a_full_destination_fails_the_run_and_the_next_try_converges(bench: Workbench) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    write_wav(bench.root / "store/media/2.wav", 1000)  # 16 MB: more than the limit below lets anybody write
    bench.export()
    # Every process can be given a limit on the size of a file, root too: it stands for a full disk here.
    limited = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (8_000_000, 8_000_000));"
        "from bulk_export.cli import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", limited, "--definitions", str(bench.definitions), "run", "nightly"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 1, done.stderr
    assert "STORAGE_FULL" in done.stdout
    assert "What to do:" in done.stdout
    leftovers = [path.name for path in (bench.root / "exports").rglob("*") if path.is_file()]
    assert "2.wav" not in leftovers
    assert not [name for name in leftovers if ".part" in name]
    assert bench.run().status is RunStatus.COMPLETED


@pytest.mark.faults("rows")
@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("score", "very good", ["score", "string", "int64"]),
        ("started_at", "yesterday", ["started_at", "timestamp"]),
        ("recycled", 7, ["recycled", "bool"]),
    ],
)
def test_a_store_with_a_column_of_the_wrong_type_is_refused_by_name(
    bench: Workbench, column: str, value: object, words: list[str]
) -> None:
    bench.contacts([bench.call(1)])
    path = bench.root / "store/contacts/contacts.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(table.column_names.index(column), column, pa.array([value])), path)
    bench.export()

    refused(bench, "STORE_INVALID", *words)


@pytest.mark.faults("rows")
def test_a_store_without_a_required_column_or_with_an_id_twice_is_refused_with_both_named(bench: Workbench) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    bench.contacts([bench.call(2)], file="again")
    path = bench.root / "store/contacts/contacts.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["time_zone"]), path)
    again = bench.root / "store/contacts/again.parquet"
    pq.write_table(pq.read_table(again).drop_columns(["time_zone"]), again)
    bench.export()

    refused(bench, "STORE_INVALID", "time_zone")


@pytest.mark.faults("rows")
def test_duplicate_contact_ids_are_refused_by_number(bench: Workbench) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    bench.contacts([bench.call(2)], file="again")
    bench.export()

    refused(bench, "STORE_INVALID", "2")


def test_a_search_that_is_not_there_is_named_with_the_nearest(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.export(search="everythin")

    refused(bench, "SEARCH_UNKNOWN", "everythin", "Did you mean 'everything'?")


@pytest.mark.faults("definitions")
def test_a_search_deleted_between_runs_fails_the_next_run_and_not_the_last(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.export()
    assert bench.run().status is RunStatus.COMPLETED
    (bench.definitions / "searches/everything.yaml").unlink()

    record = bench.run()

    assert (record.status, record.error_code) == (RunStatus.FAILED, "SEARCH_UNKNOWN")


@pytest.mark.faults("definitions")
def test_an_incomplete_filter_fails_the_run_with_every_problem_and_charges_nothing(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.search(
        "everything",
        {"field": "started_at", "operator": "after", "value": "2000-01-01"},
        {"field": "predictive_net_promoter_score", "operator": "equals"},
        {"field": "skore", "operator": "equals", "value": 3},
    )
    bench.export()

    record = refused(
        bench,
        "FILTER_INCOMPLETE",
        "filters[1] predictive_net_promoter_score equals: value is missing",
        "filters[2] skore",
        "Did you mean 'score'?",
    )

    assert (record.failed_stage, record.granted) == ("validate_filters", None)
    assert not (bench.root / "exports").exists()


def test_a_run_refused_for_its_definitions_takes_the_mended_ones_when_it_is_cleared(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.search("everything", {"field": "score", "operator": "equals"})
    bench.export()
    bench.run(run_id="dag/run")
    bench.search("everything")

    record = bench.run(run_id="dag/run")

    assert (record.status, record.error_code, record.matched) == (RunStatus.COMPLETED, "", 1)


def test_without_a_licence_nothing_is_exported(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.write_settings(licence={"type": "none"})
    bench.export()

    refused(bench, "LICENCE_NONE", "acme")


def test_an_unknown_storage_location_given_for_one_run_is_refused(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.export()

    refused(bench, "STORAGE_UNKNOWN", "'archiv'", "Did you mean 'archive'?", parameters={"storage_location": "archiv"})


@pytest.mark.faults("definitions")
def test_an_export_that_does_not_load_fails_with_its_problems_in_the_audit(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.export(transcripts="pdf", colour="blue")

    refused(bench, "DEFINITION_INVALID", "transcripts: 'pdf' is not one of json, xml, none", "unknown key 'colour'")


@pytest.mark.faults("definitions")
@pytest.mark.parametrize(
    ("name", "directory"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("\"Quoted\" & 'single'", "Quoted-single"),
        ("📞 Llamadas ñandú 📞", "Llamadas-nandu"),
        ("📞📞", "nightly"),
        ("..", "nightly"),
        ("a/b\\c:d*e?f|g<h>i", "a-b-c-d-e-f-g-h-i"),
    ],
)
def test_no_name_leads_out_of_the_storage_location(bench: Workbench, name: str, directory: str) -> None:
    bench.contacts([bench.call(1)])
    bench.export(name=name)

    record = bench.run()

    assert record.status is RunStatus.COMPLETED
    assert record.export_name == name
    assert Path(record.directory).parts[0] == directory
    assert [path.name for path in (bench.root / "exports").iterdir()] == [directory]
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()


@pytest.mark.faults("rows")
def test_a_transcript_of_a_gigabyte_is_an_item_and_is_never_read(bench: Workbench) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    with (bench.root / "store/transcripts/2.json").open("wb") as out:
        out.truncate(1 << 30)
    bench.export()

    record = bench.run()

    assert record.status is RunStatus.COMPLETED_WITH_ERRORS
    assert record.by_reason == {"TRANSCRIPT_TOO_LARGE": 1}
    assert bench.items(record)[2]["media_file"] == "data/media/0001/2.wav"


@pytest.mark.faults("rows")
@pytest.mark.parametrize(
    ("audio_only", "status", "reason", "delivered"),
    [
        ("original", RunStatus.COMPLETED, "MEDIA_DOUBTFUL", ["1.wav", "2.wav"]),
        ("mp3", RunStatus.COMPLETED_WITH_ERRORS, "MEDIA_CORRUPT", ["1.mp3"]),
    ],
)
def test_media_that_claims_a_length_of_days_is_said_to(
    bench: Workbench, audio_only: str, status: RunStatus, reason: str, delivered: list[str]
) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    path = bench.root / "store/media/2.wav"
    header = bytearray(path.read_bytes())
    header[4:8] = (0xFFFFFFF0).to_bytes(4, "little")
    header[40:44] = (0xFFFFFF00).to_bytes(4, "little")  # 4 GB of 8 kHz speech: three days
    path.write_bytes(bytes(header))
    bench.export(media={"audio_only": audio_only})

    record = bench.run()

    assert (record.status, record.by_reason) == (status, {reason: 1})
    there = sorted(name for name in files_of(bench.directory(record)) if name.startswith("data/media"))
    assert there == [f"data/media/0001/{name}" for name in delivered]


@pytest.mark.faults("rows")
def test_object_addresses_that_lead_out_of_the_store_are_not_followed(bench: Workbench) -> None:
    (bench.root / "secret.wav").write_bytes(b"RIFF")
    (bench.root / "secret.json").write_text('{"schema": "transcript-1.0"}')
    bench.contacts([bench.call(1, audio_uri="../secret.wav", transcript_uri="media/../../secret.json")])
    bench.export()

    record = bench.run()

    item = bench.items(record)[1]
    assert (item["reason"], item["media_reason"], item["transcript_reason"]) == ("ADDRESS_NOT_ALLOWED",) * 3


@pytest.mark.faults("rows")
def test_links_that_lead_out_of_the_store_are_not_followed(bench: Workbench) -> None:
    elsewhere = bench.root / "elsewhere"
    elsewhere.mkdir()
    bench.contacts([bench.call(1), bench.call(2, audio_uri="media/linked/2.wav"), bench.call(3)])
    for number in (1, 2):
        (bench.root / f"store/media/{number}.wav").rename(elsewhere / f"{number}.wav")
    (bench.root / "store/media/1.wav").symlink_to(elsewhere / "1.wav")
    (bench.root / "store/media/linked").symlink_to(elsewhere)
    bench.export()

    record = bench.run()

    assert (record.by_reason, record.by_status["delivered"]) == ({"ADDRESS_NOT_ALLOWED": 2}, 1)
    bench.write_settings(contact_store=bench.settings["contact_store"] | {"allowed": ["../elsewhere"]})
    assert bench.run().by_status["delivered"] == 3


def test_neither_log_nor_audit_holds_what_customers_said_or_who_they_are(
    bench: Workbench, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    canaries = {"calling_number": "+15550001111", "last_name": "Zanzibarovna", "subject": "my-canary-subject"}
    import json

    bench.contacts([bench.call(1, **canaries), bench.call(2, **canaries), bench.call(3, audio_uri="media/gone.wav")])
    torn = json.dumps(transcript_of(2, "my-canary-words"))
    (bench.root / "store/transcripts/2.json").write_text(torn[:-20])
    (bench.root / "store/transcripts/3.json").write_text(torn.replace('"start_ms": 0', '"start_ms": "my-canary-time"'))
    bench.export()

    record = bench.run()

    assert record.by_status["faulty"] == 2
    seen = caplog.text + "".join(capfd.readouterr()) + str(record)
    seen += (bench.directory(record) / "data/items.csv").read_text()
    seen += (bench.root / "state.db").read_bytes().decode("latin-1")
    for canary in ["+15550001111", "Zanzibarovna", "my-canary"]:
        assert canary not in seen
