"""Estimate what an export would do if it ran now."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import BoundedSemaphore

from bulk_export.contacts.base import ContactStore, Matches
from bulk_export.definitions.locations import LocalLocation
from bulk_export.definitions.models import SavedExport, SavedSearch
from bulk_export.definitions.run import RunParameters, RunSnapshot
from bulk_export.definitions.settings import Settings
from bulk_export.filters.selection import Selection
from bulk_export.quota import quota_day
from bulk_export.runs.selection import run_selection
from bulk_export.state.reservations import usage
from bulk_export_console.context import ConsoleContext

# Each count opens a database with memory and threads of its own, in the process that serves everybody.
_AT_ONCE = BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run now would find.

    Attributes:
        matched: contacts that meet the search, root recordings left out.
        roots: root recordings among those that met the filters.
        media_bytes: stored size of the matches' media, where the catalogue knows it.
        quota_left: contacts the day still allows.
        daily_limit: contacts a whole day allows.
        exported_now: contacts of the matches the quota reaches today; 0 where the policy refuses the run.
        quota_days: days it takes when the rest follows on later days; 1 when all fits, 0 when nothing ever will.
    """

    matched: int
    roots: int
    media_bytes: int
    quota_left: int
    daily_limit: int
    exported_now: int
    quota_days: int


def estimate(context: ConsoleContext, search: SavedSearch, policy: str) -> Estimate:
    """Count a search and compare it with today's quota.

    Raises:
        DefinitionError: FILTER_INCOMPLETE, or as the store says.
    """
    settings = context.settings
    with opened(context, search) as (store, selection):
        matches = store.count(selection)
    return _estimate(matches, _left(context, settings), settings.licence.contacts_per_day, policy)


def _left(context: ConsoleContext, settings: Settings) -> int:
    day = quota_day(context.now(), settings.environment.time_zone)
    used = usage(context.site.engine, settings.environment.name, day).used
    return max(0, settings.licence.contacts_per_day - used)


def _estimate(matches: Matches, left: int, limit: int, policy: str) -> Estimate:
    fits = matches.contacts <= left
    now = matches.contacts if fits else 0 if policy == "fail" else left
    rest = matches.contacts - now
    days = 1 if fits else 1 + -(-rest // limit) if policy == "continue" and limit else int(now > 0)
    return Estimate(matches.contacts, matches.roots, matches.media_bytes, left, limit, now, days)


@contextmanager
def opened(context: ConsoleContext, search: SavedSearch) -> Iterator[tuple[ContactStore, Selection]]:
    """Open the contact store, with what a search selects in it.

    A few at a time; scratch files are removed afterwards.
    """
    snapshot = _snapshot(context.settings, search, context.now())
    with _AT_ONCE, tempfile.TemporaryDirectory(prefix="bulk-export-count-") as scratch:
        store = context.site.contact_store(snapshot, Path(scratch))
        yield store, run_selection(snapshot, store.dialect)


def _snapshot(settings: Settings, search: SavedSearch, now: datetime) -> RunSnapshot:
    """The search as a run would freeze it.

    Where to and in which formats does not matter for what it selects.
    """
    return RunSnapshot(
        export=SavedExport(id="estimate", name="estimate", search=search.id, storage_location="none"),
        search=search,
        environment=settings.environment,
        licence=settings.licence,
        contact_store=settings.contact_store,
        storage_location=LocalLocation(type="local", path="."),
        exportable_metadata=settings.exportable_metadata,
        parameters=RunParameters(),
        as_of=now,
    )
