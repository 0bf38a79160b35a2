"""Matches are counted and frozen once, and quota is held for them; a dry run only says what it would do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from bulk_export import pipeline
from bulk_export.errors import RefusedError
from bulk_export.stages.check_quota import check_quota
from bulk_export.stages.stage import load_run
from bulk_export.state.reservations import usage

if TYPE_CHECKING:
    from workbench import Workbench

    from bulk_export.runs.request import RunRequest


def begun(bench: Workbench, **changes: object) -> RunRequest:
    request = bench.request(**changes)
    pipeline.validate_filters(bench.site(), request)
    return request


def held(bench: Workbench) -> tuple[int, int]:
    found = usage(bench.site().engine, "acme", bench.now.date())
    return found.used, found.held


def test_matches_are_counted_roots_left_out_and_quota_is_held(bench: Workbench) -> None:
    bench.contacts([bench.call(1), bench.call(2), bench.call(3, is_root=True)])
    bench.export()
    request = begun(bench)

    assert check_quota(bench.site(), request.run_id) == {"matched": 2, "roots": 1, "granted": 2}

    record = bench.site().reread(request.run_id)
    assert (record.matched, record.roots, record.granted, record.quota_used) == (2, 1, 2, 2)
    assert held(bench) == (2, 2)


def test_a_retry_selects_the_same_contacts_and_holds_no_more(bench: Workbench) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    bench.export()
    request = begun(bench)
    check_quota(bench.site(), request.run_id)
    bench.contacts([bench.call(contact_id) for contact_id in (1, 2, 3)])

    assert check_quota(bench.site(), request.run_id) == {"matched": 2, "roots": 0, "granted": 2}

    assert held(bench) == (2, 2)


def test_a_dry_run_reports_and_leaves_neither_charge_nor_keys(bench: Workbench) -> None:
    bench.contacts([bench.call(2), bench.call(1)])
    bench.export()
    request = begun(bench, parameters={"dry_run": True})

    assert check_quota(bench.site(), request.run_id) == {"matched": 2, "roots": 0, "granted": 2}

    run = load_run(bench.site(), request.run_id)
    report = json.loads(run.record.dry_run_report)
    assert (report["matched"], report["would_export"], report["first_contact_ids"]) == (2, 2, [1, 2])
    assert (run.record.granted, held(bench), run.staging.in_use()) == (None, (0, 0), False)


def test_policy_fail_refuses_what_does_not_fit_and_holds_nothing(bench: Workbench) -> None:
    bench.write_settings(licence={"type": "standard", "daily_contacts": 1})
    bench.contacts([bench.call(1), bench.call(2)])
    bench.export(on_quota_exceeded="fail")
    request = begun(bench)

    with pytest.raises(RefusedError, match="QUOTA_EXCEEDED"):
        check_quota(bench.site(), request.run_id)

    assert held(bench) == (0, 0)
    assert bench.site().reread(request.run_id).error_code == "QUOTA_EXCEEDED"
