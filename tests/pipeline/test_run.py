"""A run delivers every matched contact or says why not, whatever happens on the way."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import bagit
import pytest
import yaml
from workbench import Workbench, files_of, read_csv

from bulk_export.bag.verify import verify_run
from bulk_export.errors import DefinitionError
from bulk_export.pipeline import (
    batch_contacts,
    build_csv,
    check_quota,
    copy_media,
    export_transcripts,
    publish_manifest,
    validate_filters,
    write_audit,
)
from bulk_export.state.items import list_items
from bulk_export.state.records import RunStatus
from bulk_export.state.reservations import usage
from bulk_export.storage.local import LocalStorage


def used_today(bench: Workbench) -> int:
    return usage(bench.site().engine, "acme", bench.now.date()).used


def test_nobody_else_may_read_what_a_run_keeps_and_only_its_group_what_it_delivers(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 4)])
    bench.export(media={"audio_only": "mp3"}, csv={"metadata_parquet": True})
    run_id = "cli/rights"
    record = bench.up_to_publishing(bench.request(run_id=run_id)).reread(run_id)

    assert others_may(bench.root / "staging", 0o077) == []
    assert others_may(bench.root / "exports", 0o027) == []
    assert [path.name for path in bench.root.glob("state.db*") if path.stat().st_mode & 0o007] == []
    assert bench.directory(record).stat().st_mode & 0o070 == 0o050


def others_may(folder: Path, rights: int) -> list[str]:
    """What lies in a folder and gives any of these rights; its name and mode."""
    found = [folder, *folder.rglob("*")]
    assert any(path.is_file() for path in found)
    return [f"{path} {path.stat().st_mode:o}" for path in found if path.stat().st_mode & rights]


def test_a_run_delivers_a_valid_bag_in_which_every_match_is_accounted_for(bench: Workbench) -> None:
    bench.contacts(
        [
            *(bench.call(contact_id) for contact_id in range(1, 6)),
            bench.call(6, recycled=True),
            bench.call(7, audio_uri="media/nowhere.wav"),
            bench.call(8, is_root=True),
            bench.call(9, transcript=False, audio_uri=None),
        ]
    )
    bench.export()

    record = bench.run()

    assert record.status is RunStatus.COMPLETED_WITH_ERRORS
    assert (record.matched, record.roots, record.exported, record.masked) == (8, 1, 7, 1)
    assert record.by_status == {
        "delivered": 6,
        "masked": 1,
        "faulty": 1,
        "deferred": 0,
        "already_delivered": 0,
    }
    assert record.by_reason == {"MEDIA_MISSING": 1, "RECYCLED": 1, "NO_MEDIA": 1, "NO_TRANSCRIPT": 1}
    assert sum(record.by_status.values()) == record.matched
    directory = bench.directory(record)
    assert bagit.Bag(str(directory)).validate()
    assert (
        subprocess.run(
            ["sha256sum", "--quiet", "--strict", "-c", "manifest-sha256.txt", "tagmanifest-sha256.txt"],
            cwd=directory,
            check=False,
        ).returncode
        == 0
    )
    assert verify_run(LocalStorage(directory)).faults == ()
    items = bench.items(record)
    assert sorted(items) == [1, 2, 3, 4, 5, 6, 7, 9]
    assert {key: items[7][key] for key in ("status", "reason", "media_reason")} == {
        "status": "faulty",
        "reason": "MEDIA_MISSING",
        "media_reason": "MEDIA_MISSING",
    }
    assert items[9]["media_reason"] == "NO_MEDIA"
    rows = read_csv(directory / "data/contacts.csv")
    assert [row["Contact ID"] for row in rows] == ["1", "2", "3", "4", "5", "6", "7", "9"]
    assert rows[0]["account-key"] == "A1"
    assert "secret-key" not in rows[0]
    assert rows[5]["Last Name"] == "######"
    assert not (directory / "data/media/0001/6.wav").exists()
    assert [item.contact_id for item in list_items(bench.site().engine, record.run_id)] == [6, 7]
    assert used_today(bench) == record.exported == record.quota_used


def test_running_every_stage_again_at_any_point_changes_nothing(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 8)])
    bench.write_settings(licence={"type": "performance", "job_contacts": 3})
    bench.export()
    request = bench.request()
    run_id = request.run_id

    for _ in range(2):
        assert validate_filters(bench.site(), request) == run_id
        assert check_quota(bench.site(), run_id)["granted"] == 7
        assert batch_contacts(bench.site(), run_id) == [1, 2, 3]
        for job in (1, 2, 3, 2):
            copy_media(bench.site(), run_id, job)
            export_transcripts(bench.site(), run_id, job)
        build_csv(bench.site(), run_id)
    directory = bench.root / "exports"
    assert not list(directory.rglob("tagmanifest-sha256.txt"))
    publish_manifest(bench.site(), run_id)
    record = write_audit(bench.site(), run_id)
    first = files_of(bench.directory(record))
    for stage in (check_quota, batch_contacts, build_csv, publish_manifest):
        stage(bench.site(), run_id)
    copy_media(bench.site(), run_id, 1)

    assert write_audit(bench.site(), run_id) == record
    assert files_of(bench.directory(record)) == first
    assert (record.status, record.matched, record.exported, used_today(bench)) == (RunStatus.COMPLETED, 7, 7, 7)
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()


def test_what_an_interrupted_attempt_left_behind_does_not_spoil_the_bag(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 4)])
    bench.export()
    request = bench.request()
    validate_filters(bench.site(), request)
    check_quota(bench.site(), request.run_id)
    batch_contacts(bench.site(), request.run_id)
    [run_directory] = [bench.root / "exports" / bench.site().reread(request.run_id).directory]
    (run_directory / "data/media/0001").mkdir(parents=True)
    (run_directory / "data/media/0001/3.mp3").write_bytes(b"delivered by an attempt that was killed before it said so")
    (run_directory / "data/media/0001/.part-0123456789abcdef").write_bytes(b"half a fi")
    for stage in (copy_media, export_transcripts):
        stage(bench.site(), request.run_id, 1)
    build_csv(bench.site(), request.run_id)
    publish_manifest(bench.site(), request.run_id)

    assert verify_run(LocalStorage(run_directory)).faults == ()
    assert sorted(path.name for path in (run_directory / "data/media/0001").iterdir()) == ["1.wav", "2.wav", "3.wav"]


def test_an_edit_during_a_run_changes_nothing_of_it(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 4)])
    bench.export()
    request = bench.request()
    validate_filters(bench.site(), request)
    bench.export(transcripts="xml", storage_location="elsewhere")
    bench.search("everything", {"field": "contact_id", "operator": "equals", "value": 2})
    bench.contacts([bench.call(9)], file="more")
    check_quota(bench.site(), request.run_id)
    bench.contacts([bench.call(10)], file="still-more")
    batch_contacts(bench.site(), request.run_id)
    copy_media(bench.site(), request.run_id, 1)
    export_transcripts(bench.site(), request.run_id, 1)
    build_csv(bench.site(), request.run_id)
    publish_manifest(bench.site(), request.run_id)
    record = write_audit(bench.site(), request.run_id)

    assert record.matched == 4
    delivered = files_of(bench.directory(record))
    assert "data/transcripts/0001/9.json" in delivered
    assert yaml.safe_load(delivered["data/export.yaml"])["export"]["transcripts"] == "json"


def test_an_empty_selection_is_delivered_as_provably_empty(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.search("everything", {"field": "contact_id", "operator": "equals", "value": 2})
    bench.export()

    record = bench.run()

    assert (record.status, record.matched, used_today(bench)) == (RunStatus.COMPLETED_EMPTY, 0, 0)
    assert verify_run(LocalStorage(bench.directory(record))).faults == ()
    assert read_csv(bench.directory(record) / "data/contacts.csv") == []


def test_a_dry_run_writes_and_charges_nothing_and_says_what_would_be(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id, audio_bytes=1000) for contact_id in range(1, 13)])
    bench.write_settings(licence={"type": "standard", "daily_contacts": 5})
    bench.export()

    record = bench.run(parameters={"dry_run": True})

    assert record.status is RunStatus.COMPLETED
    assert yaml.safe_load(record.dry_run_report) == {
        "matched": 12,
        "already_delivered": 0,
        "roots": 0,
        "expected_bytes": 5_000,
        "would_export": 5,
        "quota_left": 5,
        "first_contact_ids": list(range(1, 6)),
    }
    assert not (bench.root / "exports").exists()
    assert [path for path in (bench.root / "staging").rglob("*") if path.is_file()] == []
    assert used_today(bench) == 0


def test_a_dry_run_names_the_first_ten_of_what_would_be_exported(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id, audio_bytes=1000) for contact_id in range(1, 13)])
    bench.export()

    said = yaml.safe_load(bench.run(parameters={"dry_run": True}).dry_run_report)

    assert (said["would_export"], said["expected_bytes"]) == (12, 12_000)
    assert said["first_contact_ids"] == list(range(1, 11))


@pytest.mark.parametrize("policy", ["continue", "truncate", "fail"])
@pytest.mark.parametrize("limit", [None, 2, 4, 5])
def test_a_dry_run_says_what_the_run_then_exports_whatever_the_policy(
    bench: Workbench, policy: str, limit: int | None
) -> None:
    bench.contacts([bench.call(contact_id, audio_bytes=10**contact_id) for contact_id in range(1, 7)])
    bench.write_settings(licence={"type": "standard", "daily_contacts": 4})
    bench.export(on_quota_exceeded=policy)

    said = yaml.safe_load(bench.run(parameters={"limit": limit, "dry_run": True}).dry_run_report)
    record = bench.run(parameters={"limit": limit})

    exported = list(range(1, record.exported + 1))
    assert (said["would_export"], said["first_contact_ids"]) == (record.exported, exported)
    assert said["expected_bytes"] == sum(10**contact_id for contact_id in exported)


def test_a_dry_run_of_an_incremental_export_leaves_out_what_was_delivered(bench: Workbench) -> None:
    rows = [bench.call(contact_id, audio_bytes=10**contact_id) for contact_id in range(1, 6)]
    bench.contacts(rows[:3])
    bench.export(incremental=True)
    bench.run()
    bench.contacts(rows)

    said = yaml.safe_load(bench.run(parameters={"dry_run": True, "limit": 1}).dry_run_report)

    assert (said["matched"], said["already_delivered"], said["would_export"]) == (5, 3, 1)
    assert (said["first_contact_ids"], said["expected_bytes"]) == ([4], 10**4)


@pytest.mark.parametrize(("policy", "status"), [("truncate", RunStatus.COMPLETED), ("continue", RunStatus.COMPLETED)])
def test_beyond_the_quota_the_oldest_are_exported_and_every_other_has_a_row(
    bench: Workbench, policy: str, status: RunStatus
) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 8)])
    bench.write_settings(licence={"type": "standard", "daily_contacts": 4})
    bench.export(on_quota_exceeded=policy)

    record = bench.run()

    items = bench.items(record)
    assert [number for number, row in items.items() if row["status"] == "delivered"] == [1, 2, 3, 4]
    assert {items[number]["reason"] for number in (5, 6, 7)} == {"QUOTA_EXCEEDED"}
    assert (record.status, record.exported, record.quota_after) == (status, 4, 4)
    assert [item.contact_id for item in list_items(bench.site().engine, record.run_id)] == [5, 6, 7]


def test_policy_fail_exports_nothing_beyond_the_quota(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 8)])
    bench.write_settings(licence={"type": "standard", "daily_contacts": 4})
    bench.export(on_quota_exceeded="fail")

    record = bench.run()

    assert (record.status, record.error_code, used_today(bench)) == (RunStatus.FAILED, "QUOTA_EXCEEDED", 0)
    assert not (bench.root / "exports/Nightly").exists()


def test_a_limit_takes_the_oldest_and_says_so_of_the_others(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 8)])
    bench.export()

    record = bench.run(parameters={"limit": 2})

    assert record.by_reason == {"LIMIT": 5}
    assert (record.matched, record.exported, record.quota_used) == (7, 2, 2)


def test_an_incremental_export_delivers_each_contact_once_and_again_when_it_changed(bench: Workbench) -> None:
    rows = [bench.call(contact_id) for contact_id in range(1, 6)]
    rows[4] |= {"audio_uri": "media/late.wav"}
    bench.contacts(rows)
    bench.export(incremental=True)

    first = bench.run()
    rows[1] |= {"updated_at": bench.now + timedelta(minutes=5)}
    bench.contacts(rows)
    (bench.root / "store/media/late.wav").write_bytes((bench.root / "store/media/1.wav").read_bytes())
    second = bench.run()
    third = bench.run()

    assert (first.exported, first.by_reason) == (4, {"MEDIA_MISSING": 1})
    assert second.by_reason == {"ALREADY_DELIVERED": 3}
    delivered = [number for number, row in bench.items(second).items() if row["status"] == "delivered"]
    assert delivered == [2, 5]
    assert third.by_status["already_delivered"] == third.matched == 5
    assert used_today(bench) == 6


def test_limits_on_machines_and_network_change_nothing_of_what_is_delivered(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 4)])
    bench.export(media={"audio_only": "mp3"})
    free = bench.run()
    bench.write_settings(limits={"workers": 1, "megabytes_per_second": 0.1, "jobs_at_once": 1})
    held_back = bench.run()

    files = [path for path in files_of(bench.directory(free)) if path.startswith("data/media/")]
    assert len(files) == 3
    for path in files:
        assert (bench.directory(held_back) / path).read_bytes() == (bench.directory(free) / path).read_bytes()


def test_an_immediate_export_needs_no_saved_definition(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])

    record = bench.run(
        immediate={"name": "For legal", "search": "everything", "storage_location": "archive", "audio_only": "original"}
    )

    assert (record.status, record.export_id, record.export_name) == (RunStatus.COMPLETED, "immediate", "For legal")
    assert record.directory.startswith("For-legal/20261123T080000Z_")


def test_the_record_says_which_days_a_run_was_asked_about(bench: Workbench) -> None:
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 3)])
    bench.export()
    days = {"started_from": "2026-11-20", "started_until": "2026-11-22"}

    record, whole_search = bench.run(parameters=days), bench.run()

    # In Bogotá, five hours behind UTC; the last day is included, so the moment after it is not.
    assert (record.window_from, record.window_to) == (
        datetime(2026, 11, 20, 5, tzinfo=UTC),
        datetime(2026, 11, 23, 5, tzinfo=UTC),
    )
    assert (record.matched, record.parameters) == (2, days)
    assert (whole_search.window_from, whole_search.window_to) == (None, None)


def test_a_run_about_all_days_there_are_can_be_recorded(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.export()

    record = bench.run(parameters={"started_from": "0001-01-01", "started_until": "9999-12-31"})

    assert (record.status, record.matched) == (RunStatus.COMPLETED, 1)
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert record.window_from and record.window_from.astimezone(ZoneInfo(zone)).year == 1
        assert record.window_to and record.window_to.astimezone(ZoneInfo(zone)).year == 9999


def test_a_run_that_was_refused_and_then_mended_says_its_days_too(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    bench.export(search="missing")
    request = bench.request(parameters={"started_from": "2026-11-22", "started_until": "2026-11-22"})
    with pytest.raises(DefinitionError, match="SEARCH_UNKNOWN"):
        validate_filters(bench.site(), request)
    write_audit(bench.site(), request.run_id, ("validate_filters",))
    bench.export()

    validate_filters(bench.site(), request)

    record = bench.site().reread(request.run_id)
    assert (record.window_from, record.window_to) == (
        datetime(2026, 11, 22, 5, tzinfo=UTC),
        datetime(2026, 11, 23, 5, tzinfo=UTC),
    )


def test_the_definitions_as_run_say_everything_but_secrets(bench: Workbench) -> None:
    bench.contacts([bench.call(1)])
    told = {"on": ["failure"], "email": ["ops@acme.example"], "webhook": "https://hooks.acme.example/s3cret-token"}
    bench.export(csv={"profile": "excel", "metadata_parquet": True}, notify=told)

    record = bench.run(parameters={"limit": 5})

    text = (bench.directory(record) / "data/export.yaml").read_text()
    content = yaml.safe_load(text)
    assert "acme.example" not in text
    assert content["search"]["filters"][0]["operator"] == "after"
    assert content["parameters"] == {"limit": 5}
    assert "state" not in content
    assert (bench.directory(record) / "data/contacts.parquet").exists()
    assert (bench.directory(record) / "data/contacts.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_staging_is_empty_after_a_run_and_kept_after_a_failure(bench: Workbench, tmp_path: Path) -> None:
    bench.contacts([bench.call(1)])
    bench.export()
    bench.run()
    assert [path for path in (tmp_path / "staging").rglob("*") if path.is_file()] == []

    request = bench.request()
    validate_filters(bench.site(), request)
    check_quota(bench.site(), request.run_id)
    record = write_audit(bench.site(), request.run_id, ("batch_contacts",))

    assert (record.status, record.error_code, record.failed_stage) == (
        RunStatus.FAILED,
        "INTERRUPTED",
        "batch_contacts",
    )
    assert [path.name for path in (tmp_path / "staging").rglob("keys.parquet")] == ["keys.parquet"]
    assert used_today(bench) == 1
