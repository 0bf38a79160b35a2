"""What a run could not deliver a later one does: by itself where the export is incremental, or when asked."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from workbench import Workbench, read_csv

from bulk_export.errors import DefinitionError, TransientError
from bulk_export.pipeline import batch_contacts, check_quota, validate_filters, write_audit
from bulk_export.state.events import list_events
from bulk_export.state.records import RunRecord, RunStatus


@pytest.fixture
def yesterdays(bench: Workbench) -> Workbench:
    """Five calls of yesterday, of which 5 lacks its audio, and a search for yesterday only."""
    bench.search("yesterday", {"field": "started_at", "operator": "yesterday"})
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 6)])
    (bench.root / "store/media/5.wav").rename(bench.root / "late.wav")
    return bench


def arrives(bench: Workbench) -> None:
    (bench.root / "late.wav").rename(bench.root / "store/media/5.wav")


def exported(bench: Workbench, record: RunRecord) -> list[int]:
    """Contact ids of contacts.csv, row by row."""
    return [int(row["Contact ID"]) for row in read_csv(bench.directory(record) / "data/contacts.csv")]


def delivered(bench: Workbench, record: RunRecord) -> list[int]:
    return [number for number, item in bench.items(record).items() if item["status"] == "delivered"]


def test_an_incremental_export_takes_up_what_failed_though_its_search_has_moved_on(yesterdays: Workbench) -> None:
    yesterdays.export(search="yesterday", incremental=True)
    first = yesterdays.run()
    yesterdays.now += timedelta(days=3)
    still_missing = yesterdays.run()
    arrives(yesterdays)
    made_up = yesterdays.run()
    nothing_left = yesterdays.run()

    assert (first.exported, first.by_reason) == (4, {"MEDIA_MISSING": 1})
    assert (still_missing.matched, still_missing.by_reason) == (1, {"MEDIA_MISSING": 1})
    assert delivered(yesterdays, made_up) == [5]
    assert (made_up.matched, made_up.status) == (1, RunStatus.COMPLETED)
    assert (nothing_left.matched, nothing_left.status) == (0, RunStatus.COMPLETED_EMPTY)


def test_an_incremental_export_takes_up_what_a_run_that_failed_had_selected(yesterdays: Workbench) -> None:
    yesterdays.export(search="yesterday", incremental=True)
    site, lost = yesterdays.site(), validate_filters(yesterdays.site(), yesterdays.request(run_id="dag/lost"))
    check_quota(site, lost)
    batch_contacts(site, lost)
    assert write_audit(site, lost, ("copy_media",)).status is RunStatus.FAILED
    arrives(yesterdays)
    yesterdays.now += timedelta(days=3)

    later = yesterdays.run()

    assert delivered(yesterdays, later) == [1, 2, 3, 4, 5]


def test_an_incremental_export_takes_up_what_quota_and_limit_left(yesterdays: Workbench) -> None:
    arrives(yesterdays)
    yesterdays.write_settings(licence={"type": "standard", "daily_contacts": 2})
    yesterdays.export(search="yesterday", incremental=True, on_quota_exceeded="truncate")
    runs = []
    for _ in range(3):
        runs.append(yesterdays.run())
        yesterdays.now += timedelta(days=1)

    assert [delivered(yesterdays, run) for run in runs] == [[1, 2], [3, 4], [5]]
    assert [run.matched for run in runs] == [5, 3, 1]


def test_contacts_that_can_never_be_delivered_do_not_keep_newer_ones_waiting(yesterdays: Workbench) -> None:
    for number in (1, 2):
        (yesterdays.root / f"store/media/{number}.wav").unlink()
    arrives(yesterdays)
    yesterdays.write_settings(licence={"type": "standard", "daily_contacts": 2})
    yesterdays.export(search="yesterday", incremental=True, on_quota_exceeded="truncate")
    runs = []
    for _ in range(4):
        runs.append(yesterdays.run())
        yesterdays.now += timedelta(days=1)

    assert [delivered(yesterdays, run) for run in runs] == [[], [3, 4], [5], []]
    # With 5 there is room for one that failed, and rows stay oldest first although it was chosen last.
    assert [exported(yesterdays, run) for run in runs] == [[1, 2], [3, 4], [1, 5], [1, 2]]


def test_the_rest_that_is_continued_is_what_quota_did_not_reach(yesterdays: Workbench) -> None:
    (yesterdays.root / "store/media/1.wav").unlink()
    yesterdays.write_settings(licence={"type": "standard", "daily_contacts": 2})
    yesterdays.export(search="yesterday", incremental=True, on_quota_exceeded="truncate")
    yesterdays.run()
    arrives(yesterdays)
    yesterdays.now += timedelta(days=1)
    yesterdays.export(search="yesterday", incremental=True, on_quota_exceeded="continue")
    first = yesterdays.run()
    yesterdays.now += timedelta(days=1)
    rest = yesterdays.run(continues_run_id=first.run_id)

    assert [exported(yesterdays, run) for run in (first, rest)] == [[3, 4], [1, 5]]


def test_a_manual_run_over_given_days_is_about_those_days_only(yesterdays: Workbench) -> None:
    yesterdays.export(search="yesterday", incremental=True)
    yesterdays.run()
    arrives(yesterdays)

    record = yesterdays.run(parameters={"started_from": "2026-01-01", "started_until": "2026-01-02"})

    assert record.matched == 0


def test_other_exports_and_plain_ones_make_up_for_nothing(yesterdays: Workbench) -> None:
    yesterdays.export("one", search="yesterday", incremental=True)
    yesterdays.export("two", search="yesterday", incremental=True)
    yesterdays.export("plain", search="yesterday")
    for name in ("one", "plain"):
        yesterdays.run(name)
    arrives(yesterdays)
    yesterdays.now += timedelta(days=3)

    assert [yesterdays.run(name).matched for name in ("two", "plain", "one")] == [0, 0, 1]


def test_a_retry_exports_exactly_what_failed_with_the_export_as_it_stands_now(yesterdays: Workbench) -> None:
    yesterdays.export(search="yesterday")
    first = yesterdays.run()
    arrives(yesterdays)
    yesterdays.now += timedelta(days=3)
    yesterdays.export(search="yesterday", transcripts="xml")

    retried = yesterdays.run(parameters={"retry_failed_of": first.run_key})

    assert delivered(yesterdays, retried) == [5]
    assert (retried.matched, retried.quota_used, retried.status) == (1, 1, RunStatus.COMPLETED)
    assert sorted(path.name for path in yesterdays.directory(retried).glob("data/*/*/*")) == ["5.wav", "5.xml"]


def test_a_retry_that_makes_no_sense_is_refused_in_words(yesterdays: Workbench) -> None:
    yesterdays.export(search="yesterday")
    yesterdays.export("other", search="yesterday")
    arrives(yesterdays)
    whole, other = yesterdays.run(), yesterdays.run("other")

    for name, words in (
        (whole.run_key, "has no contact that it could not deliver"),
        (other.run_key, "was a run of the export 'other', not of 'nightly'"),
        ("0123456789", "0123456789"),
    ):
        record = yesterdays.run(parameters={"retry_failed_of": name})
        assert record.status is RunStatus.FAILED
        assert words in record.error_message


def test_a_run_that_cannot_even_select_leaves_nothing_to_make_up_for(yesterdays: Workbench) -> None:
    yesterdays.export(search="yesterday", incremental=True)
    moved = shutil.move(yesterdays.root / "store", yesterdays.root / "away")
    with pytest.raises((DefinitionError, TransientError)):
        validate_filters(yesterdays.site(), yesterdays.request(run_id="dag/lost"))
    write_audit(yesterdays.site(), "dag/lost", ("validate_filters",))
    shutil.move(moved, yesterdays.root / "store")
    yesterdays.now += timedelta(days=3)

    assert yesterdays.run().matched == 0


def test_the_event_log_says_once_who_triggered_a_run(yesterdays: Workbench) -> None:
    yesterdays.export(search="yesterday")
    request = yesterdays.request(run_id="dag/1", triggered_by="maria")
    for _ in range(2):
        validate_filters(yesterdays.site(), request)

    [event] = list_events(yesterdays.site().engine, action="triggered")
    assert (event.who, event.subject, event.detail) == ("maria", "export nightly", "run dag/1")
