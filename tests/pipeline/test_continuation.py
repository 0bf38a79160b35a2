"""What the quota does not reach is exported on the following days: everything once, nothing twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from workbench import Workbench, files_of

from bulk_export.pipeline import publish_manifest, write_audit
from bulk_export.runs.request import RunRequest
from bulk_export.state.records import RunRecord, RunStatus


@pytest.fixture
def limited(bench: Workbench) -> Workbench:
    """Twelve matches under a licence for five a day."""
    bench.contacts([bench.call(contact_id) for contact_id in range(1, 13)])
    bench.write_settings(licence={"type": "standard", "daily_contacts": 5, "job_contacts": 3})
    bench.export()
    return bench


def run_and_queue(bench: Workbench, request: RunRequest) -> RunRecord:
    """A run as Airflow does it: its audit task names the follow-up run."""
    site = bench.up_to_publishing(request)
    publish_manifest(site, request.run_id)
    return write_audit(site, request.run_id, follow_up=lambda record: f"{record.run_id}+")


def delivered(bench: Workbench, record: RunRecord) -> list[int]:
    return [number for number, item in bench.items(record).items() if item["status"] == "delivered"]


def test_the_rest_goes_on_day_by_day_until_every_contact_is_exported_once(limited: Workbench) -> None:
    first = run_and_queue(limited, limited.request(run_id="dag/1"))
    # What is edited or recorded meanwhile belongs to later runs.
    limited.export(transcripts="xml")
    limited.contacts([limited.call(99)], file="later")
    limited.now += timedelta(days=1)
    second = run_and_queue(limited, limited.request(run_id="dag/1+", continues_run_id="dag/1"))
    limited.now += timedelta(days=1)
    third = run_and_queue(limited, limited.request(run_id="dag/1++", continues_run_id="dag/1+"))

    assert [record.status for record in (first, second, third)] == [
        RunStatus.CONTINUED,
        RunStatus.CONTINUED,
        RunStatus.COMPLETED,
    ]
    assert [record.follow_up_run_id for record in (first, second, third)] == ["dag/1+", "dag/1++", ""]
    assert [record.continues_run_id for record in (first, second, third)] == ["", "dag/1", "dag/1+"]
    assert [delivered(limited, record) for record in (first, second, third)] == [
        [1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10],
        [11, 12],
    ]
    assert [(record.matched, record.quota_used) for record in (first, second, third)] == [(12, 5), (7, 5), (2, 2)]
    assert len({record.directory for record in (first, second, third)}) == 3
    assert {record.version for record in (first, second, third)} == {first.version}
    assert [path for path in (limited.root / "staging").rglob("*") if path.is_file()] == []


def test_the_rest_is_exported_by_one_run_only(limited: Workbench) -> None:
    run_and_queue(limited, limited.request(run_id="dag/1"))
    limited.now += timedelta(days=1)
    run_and_queue(limited, limited.request(run_id="dag/2", continues_run_id="dag/1"))

    record = limited.run(run_id="dag/3", continues_run_id="dag/1")

    assert (record.status, record.error_code) == (RunStatus.FAILED, "NOTHING_LEFT")


def test_a_follow_up_on_a_day_without_quota_leaves_the_rest_for_the_next(limited: Workbench) -> None:
    run_and_queue(limited, limited.request(run_id="dag/1"))
    same_day = run_and_queue(limited, limited.request(run_id="dag/2", continues_run_id="dag/1"))
    limited.now += timedelta(days=1)
    next_day = run_and_queue(limited, limited.request(run_id="dag/3", continues_run_id="dag/2"))

    assert (same_day.status, same_day.exported, same_day.matched) == (RunStatus.CONTINUED, 0, 7)
    assert delivered(limited, next_day) == [6, 7, 8, 9, 10]


def test_contacts_that_left_the_store_meanwhile_are_items(limited: Workbench) -> None:
    run_and_queue(limited, limited.request(run_id="dag/1"))
    limited.contacts([limited.call(contact_id) for contact_id in range(1, 7)])
    limited.now += timedelta(days=1)

    record = limited.run(run_id="dag/2", continues_run_id="dag/1")

    assert record.by_reason == {"CONTACT_GONE": 4, "QUOTA_EXCEEDED": 2}
    assert delivered(limited, record) == [6]


def test_policy_truncate_leaves_no_rest(limited: Workbench) -> None:
    limited.export(on_quota_exceeded="truncate")

    record = run_and_queue(limited, limited.request())

    assert (record.status, record.follow_up_run_id) == (RunStatus.COMPLETED, "")
    assert record.by_reason == {"QUOTA_EXCEEDED": 7}


def test_a_finished_follow_up_that_is_run_again_changes_nothing_whatever_was_deleted_meanwhile(
    limited: Workbench,
) -> None:
    run_and_queue(limited, limited.request(run_id="dag/1"))
    limited.now += timedelta(days=1)
    request = limited.request(run_id="dag/2", continues_run_id="dag/1")
    before = run_and_queue(limited, request)
    delivered_before = files_of(limited.directory(before))
    (limited.definitions / "searches/everything.yaml").unlink()
    (limited.definitions / "exports/nightly.yaml").unlink()
    limited.contacts([limited.call(99)])

    again = run_and_queue(limited, request)

    assert replace(again, ended_at=before.ended_at) == before
    assert files_of(limited.directory(again)) == delivered_before
    assert [
        path for path in (limited.root / "staging").glob("*/*") if path.is_file() and path.parent.name != "rest"
    ] == []
