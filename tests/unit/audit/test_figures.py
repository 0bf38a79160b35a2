"""The figures of a run: every match in exactly one line."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from bulk_export.audit.figures import Figure, notes, outcomes
from bulk_export.reasons import REASON_WORDS, Reason
from bulk_export.state.records import RunRecord, RunStatus, run_key


@pytest.fixture
def record(make_run: Any) -> RunRecord:
    new = make_run()
    return RunRecord(
        **{field.name: getattr(new, field.name) for field in fields(new)} | {"queued_at": new.as_of},
        run_key=run_key(new.run_id),
        status=RunStatus.COMPLETED_WITH_ERRORS,
        started_at=new.as_of,
        matched=1406,
        roots=2,
        by_status={"delivered": 990, "masked": 3, "faulty": 7, "deferred": 406, "already_delivered": 0},
        by_reason={"RECYCLED": 3, "MEDIA_CORRUPT": 7, "QUOTA_EXCEEDED": 406, "NO_MEDIA": 50, "ROOT_UNSUPPORTED": 2},
    )


def test_every_match_is_in_exactly_one_line(record: RunRecord) -> None:
    assert [(figure.label, figure.number) for figure in outcomes(record)] == [
        ("Delivered", 990),
        ("RECYCLED", 3),
        ("MEDIA_CORRUPT", 7),
        ("QUOTA_EXCEEDED", 406),
    ]
    assert sum(figure.number for figure in outcomes(record)) == record.matched


def test_contacts_that_no_count_explains_have_a_line_of_their_own(record: RunRecord) -> None:
    assert [(figure.label, figure.number) for figure in outcomes(replace(record, by_reason={}))][1:] == [
        ("Not counted", 416)
    ]


def test_a_run_that_counted_nothing_has_no_figures(record: RunRecord) -> None:
    assert outcomes(replace(record, by_status={})) == []
    assert outcomes(replace(record, matched=None)) == []


def test_what_delivered_contacts_do_without_and_roots_are_notes(record: RunRecord) -> None:
    assert notes(record) == [
        Figure("NO_MEDIA", 50, REASON_WORDS[Reason.NO_MEDIA], Reason.NO_MEDIA),
        Figure("ROOT_UNSUPPORTED", 2, REASON_WORDS[Reason.ROOT_UNSUPPORTED], Reason.ROOT_UNSUPPORTED),
    ]
