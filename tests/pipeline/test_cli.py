"""The command line does the whole job without Airflow and says how it went by words and exit code."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from workbench import Workbench

from bulk_export.cli import main, parser
from bulk_export.definitions.folder import PROJECT_DEFINITIONS
from bulk_export.state.events import append_event


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


def test_the_event_log_is_printed_newest_first_and_by_who_and_what(
    ready: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = ready.site().engine
    for minute, (who, action, subject, detail) in enumerate(
        [
            ("ana", "created", "export nightly", ""),
            ("eve", "refused", "audit", "no\npermission"),
            ("ana", "edited", "export nightly", "Größe"),
        ]
    ):
        append_event(engine, who, action, subject, detail, ready.now + timedelta(minutes=minute))

    def listed(*options: str) -> list[str]:
        assert bulk_export(ready, "audit", "events", *options) == 0
        return capsys.readouterr().out.splitlines()

    header, *lines = listed()
    assert [line.split() for line in (header, *lines)] == [
        ["AT", "(UTC)", "WHO", "ACTION", "SUBJECT", "DETAIL"],
        ["2026-11-23", "08:02:00", "ana", "edited", "export", "nightly", "Größe"],
        ["2026-11-23", "08:01:00", "eve", "refused", "audit", "no", "permission"],
        ["2026-11-23", "08:00:00", "ana", "created", "export", "nightly"],
    ]
    assert listed("--limit", "1") == [header, lines[0]]
    assert listed("--who", "eve") == [header, lines[1]]
    assert listed("--subject", "export nightly") == [header, lines[0], lines[2]]
    assert [json.loads(line) for line in listed("--json", "--who", "ana", "--limit", "1")] == [
        {
            "event_id": 3,
            "at": "2026-11-23T08:02:00Z",
            "who": "ana",
            "action": "edited",
            "subject": "export nightly",
            "detail": "Größe",
        }
    ]


def test_audit_records_are_one_json_line_each(ready: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    keys = [ready.run().run_key for _ in range(2)]

    assert bulk_export(ready, "audit", "list", "--json") == 0
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {record["run_key"] for record in records} == set(keys)
    assert bulk_export(ready, "audit", "show", keys[0], "--json") == 0
    assert json.loads(capsys.readouterr().out) in records


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


def test_several_runs_are_verified_at_once_and_each_gets_its_verdict(
    ready: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [str(ready.directory(ready.run())) for _ in range(3)]
    assert bulk_export(ready, "verify", *runs) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == ["Valid"] * 3

    Path(runs[0], "data/contacts.csv").write_text("changed")
    Path(runs[2], "data/items.csv").unlink()

    assert bulk_export(ready, "verify", *runs) == 1
    printed = capsys.readouterr().out
    verdicts = [line for line in printed.splitlines() if line.startswith(("Valid:", "NOT VALID:"))]
    assert [verdict.split(":")[0] for verdict in verdicts] == ["NOT VALID", "Valid", "NOT VALID"]
    assert all(uri in verdict for uri, verdict in zip(runs, verdicts, strict=True))
    assert "data/contacts.csv: changed" in printed.partition(verdicts[0])[0]
    assert "data/items.csv: missing" in printed.partition(verdicts[1])[2]


def test_several_reports_are_one_json_line_each_and_a_single_one_is_as_ever(
    ready: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [str(ready.directory(ready.run())) for _ in range(2)]
    Path(runs[1], "data/contacts.csv").write_text("changed")

    assert bulk_export(ready, "verify", "--json", *runs) == 1
    reports = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [report["uri"] for report in reports] == runs
    assert reports[0]["faults"] == []
    assert "data/contacts.csv" in {fault["path"] for fault in reports[1]["faults"]}

    assert bulk_export(ready, "verify", "--json", runs[0]) == 0
    assert list(json.loads(capsys.readouterr().out)) == ["faults", "files", "bytes", "contacts"]


def test_no_run_is_verified_before_every_address_makes_sense(
    ready: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    run = str(ready.directory(ready.run()))

    assert bulk_export(ready, "verify", run, "ftp://somewhere/run") == 2
    printed = capsys.readouterr()
    assert (printed.out, "URI_UNSUPPORTED" in printed.err) == ("", True)


def test_a_run_that_cannot_be_reached_keeps_no_other_from_its_verdict(
    ready: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ready.directory(ready.run())
    loop = ready.root / "loop"
    loop.symlink_to(loop)

    assert bulk_export(ready, "verify", str(loop), str(run)) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("Valid: ")
    assert f"NOT VERIFIED: {loop}" in printed.err


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
        (["check-storage", "typo"], "STORAGE_UNKNOWN"),
        (["verify", "ftp://somewhere/run"], "URI_UNSUPPORTED"),
        (["audit", "show", "nothing"], "RUN_UNKNOWN"),
        (["--definitions", "/nowhere", "validate"], "DEFINITIONS_MISSING"),
        (["--definitions", "/nowhere", "run", "nightly"], "DEFINITIONS_MISSING"),
    ],
)
def test_what_makes_no_sense_is_answered_in_words(
    ready: Workbench, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert bulk_export(ready, *arguments) == 2
    printed = capsys.readouterr().err
    assert words in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("command", [["run", "nightly"], ["check-store"], ["migrate"], ["audit", "list"]])
def test_settings_that_do_not_load_end_in_two(
    ready: Workbench, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    ready.write_settings(licence={"type": "perfomance"})

    assert bulk_export(ready, *command) == 2
    assert "licence.type: 'perfomance' is not one of" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--continue", "--retry-failed-of"])
def test_a_run_that_is_not_there_is_bad_usage_also_where_the_audit_says_so(
    ready: Workbench, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    assert bulk_export(ready, "run", "nightly", option, "nothing") == 2
    assert "RUN_UNKNOWN in validate_filters" in capsys.readouterr().out


def test_a_location_that_cannot_be_opened_ends_in_two_and_the_run_is_in_the_audit(
    ready: Workbench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    ready.write_settings(storage_locations={"archive": {"type": "azure", "container": "exports"}})

    assert bulk_export(ready, "run", "nightly") == 2
    assert "STORAGE_INVALID in validate_filters" in capsys.readouterr().out


def test_the_definitions_are_those_the_environment_names_unless_an_option_names_others(
    ready: Workbench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BULK_EXPORT_DEFINITIONS", str(ready.definitions))
    assert main(["run", "nightly", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["export_name"] == "Nightly"
    assert main(["--definitions", str(tmp_path / "elsewhere"), "validate"]) == 2
    assert f"there is no definitions folder at {tmp_path / 'elsewhere'}" in capsys.readouterr().err

    monkeypatch.setenv("BULK_EXPORT_DEFINITIONS", "")
    assert parser().parse_args(["validate"]).definitions == PROJECT_DEFINITIONS


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


def test_check_store_prints_what_would_admit_addresses_outside(
    ready: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = ready.root / "recorder"
    elsewhere.mkdir()
    (ready.root / "store/media/1.wav").rename(elsewhere / "1.wav")
    ready.contacts([ready.call(2), ready.call(1, audio_uri=f"{elsewhere}/1.wav"), ready.call(3, audio_uri="../3.wav")])

    assert bulk_export(ready, "check-store") == 0
    said = capsys.readouterr().out
    assert "2 addresses of 2 contacts lie outside of what may be read" in said
    assert "1 of them can be admitted by nothing" in said
    lines = yaml.safe_load(said[said.index("contact_store:") :])
    assert lines == {"contact_store": {"allowed": [str(elsewhere)]}}

    ready.write_settings(contact_store=ready.settings["contact_store"] | lines["contact_store"])
    assert bulk_export(ready, "check-store") == 0
    assert "1 addresses of 1 contacts" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["definitions", "transcript-json", "store"])
def test_published_schemas_are_json(bench: Workbench, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert bulk_export(bench, "schema", name) == 0
    assert json.loads(capsys.readouterr().out)


def test_a_sample_store_can_be_exported_at_once(bench: Workbench, tmp_path: Path) -> None:
    assert main(["sample-store", str(tmp_path / "sample"), "--contacts", "30", "--seed", "3"]) == 0
    bench.write_settings(contact_store={"type": "parquet", "uri": str(tmp_path / "sample")})
    bench.export(media={"audio_video": "webm", "audio_only": "ogg"}, transcripts="xml")

    assert bulk_export(bench, "run", "nightly") == 0
