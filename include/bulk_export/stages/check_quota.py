"""Count and freeze a run's matches, and reserve quota for them."""

from __future__ import annotations

import json

import pyarrow.compute as pc

from bulk_export.quota import decide, quota_day
from bulk_export.runs.open_run import OpenRun
from bulk_export.runs.selection import Matched, freeze_keys, reserve_quota, wanted_contacts
from bulk_export.stage_registry import Counts
from bulk_export.stages.stage import stage
from bulk_export.staging.run_staging import RunStaging
from bulk_export.state.reservations import usage
from bulk_export.state.runs import record_counts

_FIRST_IDS = 10


@stage
def check_quota(run: OpenRun) -> Counts:
    """Count and freeze the matches, and reserve quota for them.

    The reservation is one transaction.
    """
    if run.record.published:
        return _report_published(run)
    matched = freeze_keys(run)
    return _report_dry_run(run, matched) if run.dry else reserve_quota(run, matched)


def _report_dry_run(run: OpenRun, matched: Matched) -> dict[str, int]:
    """Write to the record what the run would do, charge nothing, and leave nothing in the staging area.

    Expected bytes and first ids are those of the contacts that would be exported: none where the export's policy is to
    fail beyond the quota.
    """
    snapshot = run.snapshot
    day = quota_day(run.site.clock(), snapshot.environment.time_zone)
    used, limit = usage(run.site.engine, snapshot.environment.name, day).used, snapshot.licence.contacts_per_day
    wanted, policy = wanted_contacts(run, matched), snapshot.export.on_quota_exceeded
    granted = decide(wanted=wanted, used=used, daily_limit=limit, policy=policy) or 0
    first_ids, expected_bytes = _first_granted(run.staging, granted)
    report = {
        "matched": matched.contacts,
        "already_delivered": matched.already_delivered,
        "roots": matched.roots,
        "expected_bytes": expected_bytes,
        "would_export": granted,
        "quota_left": max(0, limit - used),
        "first_contact_ids": first_ids,
    }
    run.staging.clear()
    record_counts(run.site.engine, run.record.run_id, dry_run_report=json.dumps(report))
    return {"matched": matched.contacts, "roots": matched.roots, "granted": granted}


def _first_granted(staging: RunStaging, granted: int) -> tuple[list[int], int]:
    """The first ids of the granted contacts, and the stored bytes of all their media, as far as these are known."""
    keys = staging.left_to_export(["contact_id", "media_bytes"]).slice(0, granted)
    return keys["contact_id"].slice(0, _FIRST_IDS).to_pylist(), pc.sum(keys["media_bytes"], min_count=0).as_py()


def _report_published(run: OpenRun) -> dict[str, int]:
    """What a finished run matched and was granted: run again it selects and charges nothing."""
    record = run.record
    return {"matched": record.matched or 0, "roots": record.roots, "granted": record.granted or 0}
