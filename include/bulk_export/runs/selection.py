"""Select the contacts of a run.

Matched once and frozen, then as many as limit and quota allow.

The keys of every match are written to the staging area before anything is counted, so that matches, quota, jobs and
audit all speak of the same contacts, however long the run takes and however the store changes meanwhile.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from bulk_export.contacts.base import Matches
from bulk_export.definitions.run import RunSnapshot
from bulk_export.filters.compile import compile_filters
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.filters.selection import Selection, among, either
from bulk_export.quota import Share, quota_day, share_out
from bulk_export.runs.follow_up import rest_contacts, take_rest
from bulk_export.runs.incremental import contacts_to_make_up_for, contacts_tried_before, keep_fresh_keys
from bulk_export.runs.retry import failed_contacts
from bulk_export.staging.run_staging import FRESH, KEYS
from bulk_export.state.delivered_contacts import delivered_before
from bulk_export.state.reservations import reserve
from bulk_export.state.runs import record_counts

if TYPE_CHECKING:
    from bulk_export.runs.open_run import OpenRun


@dataclass(frozen=True, slots=True)
class Matched:
    """What the frozen selection holds.

    Attributes:
        contacts: matches, root recordings left out.
        roots: root recordings that met the filters.
        already_delivered: matches an earlier run of an incremental export delivered unchanged.
    """

    contacts: int
    roots: int
    already_delivered: int


def run_selection(snapshot: RunSnapshot, dialect: str) -> Selection:
    """The search of a run as SQL.

    Dates count from its logical date; its own date range replaces the search's where one was given.

    Args:
        snapshot: what the run was asked to do.
        dialect: of the contact store.
    """
    return compile_filters(
        snapshot.search.filters,
        as_of=snapshot.as_of,
        zone=snapshot.environment.time_zone,
        catalog=field_catalog(snapshot.exportable_metadata),
        dialect=dialect,
        started_between=snapshot.window,
    )


def freeze_keys(run: OpenRun) -> Matched:
    """Match once, and keep keys and counts.

    The keys go to the staging area, the counts to the record; later calls find both. Where a power cut has taken some
    of it, all of it is selected anew.
    """
    facts = run.staging.read_facts("matched")
    if facts is None or not all(map(run.staging.has, _key_files(run))):
        run.staging.forget_selection()
        facts = asdict(_match(run))
        run.staging.write_facts("matched", facts)
    matched = Matched(**{field.name: int(facts[field.name]) for field in fields(Matched)})
    if (run.record.matched, run.record.roots) != (matched.contacts, matched.roots):
        run.attempt.confirm()
        record_counts(run.site.engine, run.record.run_id, matched=matched.contacts, roots=matched.roots)
    return matched


def _key_files(run: OpenRun) -> tuple[str, ...]:
    return (KEYS, FRESH) if run.snapshot.export.incremental else (KEYS,)


def _match(run: OpenRun) -> Matched:
    matches = (take_rest(run) if run.record.continues_run_id else None) or _select(run)
    already = 0
    if run.snapshot.export.incremental:
        delivered = delivered_before(run.site.engine, run.snapshot.export.id, run_id=run.record.run_id)
        already = keep_fresh_keys(run.staging, delivered, contacts_tried_before(run))
    return Matched(matches.contacts, matches.roots, already)


def _select(run: OpenRun) -> Matches:
    path = run.scratch / KEYS
    try:
        matches = run.store.select_keys(_selection(run), path)
        run.staging.write_file(KEYS, path)
    finally:
        with suppress(OSError):  # it goes with the scratch folder
            path.unlink()
    return matches


def _selection(run: OpenRun) -> Selection:
    """What the run is about.

    Its search, and what an incremental export still has to deliver; or the contacts of a retry or of a lost rest.
    """
    dialect, parameters = run.store.dialect, run.snapshot.parameters
    if run.record.continues_run_id:
        return among(rest_contacts(run), dialect)
    if parameters.retry_failed_of:
        return among(failed_contacts(run.site, parameters.retry_failed_of), dialect)
    selection = run_selection(run.snapshot, dialect)
    if not run.snapshot.export.incremental or parameters.started_from:
        return selection
    missing = contacts_to_make_up_for(run)
    return either(selection, among(missing, dialect)) if missing else selection


def reserve_quota(run: OpenRun, matched: Matched) -> dict[str, int]:
    """Reserve of the day's quota what the run may export.

    In one transaction; a retry gets the same again.
    """
    snapshot, now = run.snapshot, run.site.clock()
    grant = reserve(
        run.site.engine,
        run_id=run.record.run_id,
        environment=snapshot.environment.name,
        day=quota_day(now, snapshot.environment.time_zone),
        wanted=wanted_contacts(run, matched),
        daily_limit=snapshot.licence.contacts_per_day,
        policy=snapshot.export.on_quota_exceeded,
        now=now,
        attempt=run.attempt.number,
    )
    return {"matched": matched.contacts, "roots": matched.roots, "granted": grant.granted}


def wanted_contacts(run: OpenRun, matched: Matched) -> int:
    """How many contacts the run would export if there were no quota."""
    return share_out(
        matched=matched.contacts,
        already_delivered=matched.already_delivered,
        limit=run.snapshot.parameters.limit,
        granted=matched.contacts,
    ).granted


def run_share(run: OpenRun) -> Share:
    """How the frozen matches divide: known once quota is reserved."""
    matched = freeze_keys(run)
    return share_out(
        matched=matched.contacts,
        already_delivered=matched.already_delivered,
        limit=run.snapshot.parameters.limit,
        granted=run.record.granted or 0,
    )
