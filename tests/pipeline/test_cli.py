"""The command line does the whole job without Airflow and says how it went by words and exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from workbench import Workbench

from bulk_export.cli import STATUSES, main
from bulk_export.state.records import RunStatus


@pytest.fixture
def ready(bench: Workbench) -> Workbench:
    bench.contacts([bench.call(1), bench.call(2)])
    bench.export()
    return bench


def bulk_export(bench: Workbench, *arguments: str) -> int:
    return main(["--definitions", str(bench.definitions), *arguments])


def test_run_then_verify_then_audit(ready: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    assert bulk_export(ready, "run", "nightly", "--json") == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["status"], record["matched"], record["exported"]) == ("COMPLETED", 2, 2)

    directory = ready.root / "exports" / record["directory"]
    assert bulk_export(ready, "verify", str(directory)) == 0
    assert "Valid:" in capsys.readouterr().out

    assert bulk_export(ready, "audit", "list") == 0
    assert record["run_key"] in capsys.readouterr().out
    assert bulk_export(ready, "audit", "show", record["run_key"]) == 0
    shown = capsys.readouterr().out
    assert "COMPLETED" in shown
    assert record["run_id"] in shown
    assert bulk_export(ready, "audit", "show", record["run_id"], "--json") == 0
    assert json.loads(capsys.readouterr().out) == record


def test_verify_names_every_fault_and_fails(ready: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    bulk_export(ready, "run", "nightly", "--json")
    directory = ready.root / "exports" / json.loads(capsys.readouterr().out)["directory"]
    (directory / "data/media/0001/1.wav").unlink()
    (directory / "data/extra.txt").write_text("not of the run")
    (directory / "data/contacts.csv").write_text("changed")

    assert bulk_export(ready, "verify", str(directory)) == 1

    printed = capsys.readouterr().out
    for path in ("data/media/0001/1.wav", "data/extra.txt", "data/contacts.csv"):
        assert path in printed
    assert "NOT VALID" in printed


def test_faulty_items_end_in_their_own_exit_code(ready: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    (ready.root / "store/media/2.wav").unlink()

    assert bulk_export(ready, "run", "nightly") == 3

    printed = capsys.readouterr().out
    assert "MEDIA_MISSING" in printed
    assert "COMPLETED_WITH_ERRORS" in printed


def test_bad_definitions_end_in_two_and_refusals_in_one(ready: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    ready.search("everything", {"field": "score", "operator": "equals"})
    assert bulk_export(ready, "validate") == 2
    assert "searches/everything.yaml:2: filters[0] score equals: value is missing" in capsys.readouterr().out
    assert bulk_export(ready, "run", "nightly") == 2
    assert bulk_export(ready, "run", "nightli") == 2
    ready.search("everything")
    ready.write_settings(licence={"type": "none"})
    assert bulk_export(ready, "run", "nightly") == 1
    assert "LICENCE_NONE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nightly", "--as-of", "yesterday"], "'yesterday' is not a time"),
        (["run", "nightly", "--from", "2026-11-31", "--until", "2026-12-01"], "'2026-11-31' is not a day"),
        (["run", "nightly", "--from", "2026-11-01"], "give both started_from and started_until"),
        (["run", "nightly", "--limit", "0"], "limit"),
        (["verify", "ftp://somewhere/run"], "URI_UNSUPPORTED"),
        (["audit", "show", "nothing"], "RUN_UNKNOWN"),
    ],
)
def test_what_makes_no_sense_is_answered_in_words(
    ready: Workbench, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert bulk_export(ready, *arguments) == 1
    printed = capsys.readouterr().err
    assert words in printed
    assert "Traceback" not in printed


def test_as_of_moves_relative_dates_and_a_range_takes_their_place(
    ready: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    ready.search("everything", {"field": "started_at", "operator": "yesterday"})

    def matched(*arguments: str) -> int:
        bulk_export(ready, "run", "nightly", "--json", "--dry-run", *arguments)
        return int(json.loads(capsys.readouterr().out)["matched"])

    assert matched("--as-of", "2026-11-23T12:00Z") == 2
    assert matched("--as-of", "2026-11-24") == 0
    assert matched("--as-of", "2026-11-24", "--from", "2026-11-22", "--until", "2026-11-22") == 2
    assert matched("--as-of", "2026-11-24", "--from", "2026-11-23", "--until", "2026-11-24") == 0


def test_check_store_and_migrate_say_what_they_found(ready: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    assert bulk_export(ready, "check-store") == 0
    assert "2 contacts" in capsys.readouterr().out
    shutil.rmtree(ready.root / "store")
    assert bulk_export(ready, "check-store") == 1
    assert bulk_export(ready, "migrate") == 0
    assert (ready.root / "state.db").exists()


@pytest.mark.parametrize("name", ["definitions", "transcript-json", "store"])
def test_published_schemas_are_json(bench: Workbench, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert bulk_export(bench, "schema", name) == 0
    assert json.loads(capsys.readouterr().out)


def test_the_statuses_offered_are_those_of_the_audit() -> None:
    assert [status.value for status in RunStatus] == STATUSES


def test_a_sample_store_can_be_exported_at_once(bench: Workbench, tmp_path: Path) -> None:
    assert main(["sample-store", str(tmp_path / "sample"), "--contacts", "30", "--seed", "3"]) == 0
    bench.write_settings(contact_store={"type": "parquet", "uri": str(tmp_path / "sample")})
    bench.export(media={"audio_video": "webm", "audio_only": "ogg"}, transcripts="xml")

    assert bulk_export(bench, "run", "nightly") == 0
