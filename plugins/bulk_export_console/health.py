"""Check whether the installation can do its work now.

Checked are the places it needs, the definitions, runs that hang, the quota and the maintenance DAG. Nothing is read in
full, and every check is bounded in time. A result counts for a minute, so that a probe may ask as often as it likes.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import bulk_export
from bulk_export.errors import BulkExportError
from bulk_export.filters.selection import among
from bulk_export.quota import quota_day
from bulk_export.state.reservations import usage
from bulk_export.state.runs import list_runs
from bulk_export.state.schema_version import HEAD
from bulk_export.state.statistics import open_runs
from bulk_export.storage.capabilities import Rights
from bulk_export.storage.retry import RetryPolicy
from bulk_export.storage.rights import PROBE, check_writable

if TYPE_CHECKING:
    from bulk_export.definitions.locations import StorageLocation
    from bulk_export.site import Site

STAGING = "staging"
LONG_OPEN = timedelta(days=1)
# It runs every five minutes; a longer silence means that nobody closes lost runs.
OVERDUE_AFTER = timedelta(minutes=30)
CACHED_S = 60.0
_ANSWER_WITHIN_S = 5.0
# A retry inside the check would outlast it.
_ONE_TRY = RetryPolicy(window_s=0.0, timeout_s=4.0, connect_s=3.0)

Figure = int | str | datetime | None


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        check: which check.
        name: of the place, where there are several.
        healthy: whether nothing is wrong there.
        code: of the error, empty without one.
        message: what is wrong, in words.
        figures: what was counted, by name.
    """

    check: str
    name: str = ""
    healthy: bool = True
    code: str = ""
    message: str = ""
    figures: Mapping[str, Figure] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """The results of all checks.

    Attributes:
        at: when.
        version: of the product.
        findings: in the order in which they are shown.
    """

    at: datetime
    version: str
    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether every check is."""
        return all(finding.healthy for finding in self.findings)


class HealthChecks:
    """Run every check when asked, at most once a minute.

    Args:
        cached_s: seconds for which a result counts.
        within_s: seconds a check is given to answer.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        cached_s: float = CACHED_S,
        within_s: float = _ANSWER_WITHIN_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cached_s, self._within_s, self._clock = cached_s, within_s, clock
        self._lock = threading.Lock()
        self._last: tuple[float, Health] | None = None
        self._running: dict[str, threading.Thread] = {}

    def now(self, site: Site, last_maintenance_success: Callable[[], datetime | None]) -> Health:
        """The findings of the last minute, or new ones.

        Args:
            site: the installation.
            last_maintenance_success: asks Airflow when the maintenance DAG last succeeded; None when it never has.
        """
        with self._lock:
            if self._last is None or self._clock() - self._last[0] >= self._cached_s:
                checked = Health(site.clock(), bulk_export.__version__, self._all(site, last_maintenance_success))
                self._last = (self._clock(), checked)
            return self._last[1]

    def _all(self, site: Site, last_maintenance_success: Callable[[], datetime | None]) -> tuple[Finding, ...]:
        site = replace(site, retry_policy=_ONE_TRY)
        checks: list[tuple[str, str, Callable[[], Mapping[str, Figure]]]] = [
            ("state", "", lambda: _state(site)),
            ("definitions", "", lambda: _definitions(site)),
            ("contact_store", "", lambda: _contact_store(site)),
        ]
        try:
            places = {**site.settings.storage_locations, STAGING: site.settings.staging}
        except BulkExportError:
            places = {}  # the other checks say why
        for name, place in places.items():
            checks.append(("storage", name, partial(_storage, site, place, name)))
        checks += [
            ("runs", "", lambda: _runs(site)),
            ("quota", "", lambda: _quota(site)),
            ("maintenance", "", lambda: _maintenance(last_maintenance_success(), site.clock())),
        ]
        return self._together(checks)

    def _together(self, checks: Sequence[tuple[str, str, Callable[[], Mapping[str, Figure]]]]) -> tuple[Finding, ...]:
        """Run all checks at the same time.

        One that hangs is not started again before it has ended.
        """
        found: dict[str, Finding] = {}
        for check, name, look in checks:
            key = f"{check} {name}"
            if key not in self._running or not self._running[key].is_alive():
                thread = threading.Thread(target=_record, args=(found, key, check, name, look), daemon=True)
                self._running[key] = thread
                thread.start()
        deadline = time.monotonic() + self._within_s
        for check, name, _ in checks:
            self._running[f"{check} {name}"].join(max(0.0, deadline - time.monotonic()))
        silent = f"no answer within {self._within_s:g} seconds"
        return tuple(
            found.get(f"{check} {name}") or Finding(check, name, False, "NO_ANSWER", silent)
            for check, name, _ in checks
        )


class UnhealthyError(Exception):
    """Something somebody has to see to."""

    def __init__(self, code: str, message: str, **figures: Figure) -> None:
        super().__init__(code, message)
        self.code, self.message, self.figures = code, message, figures


def _record(
    found: dict[str, Finding], key: str, check: str, name: str, look: Callable[[], Mapping[str, Figure]]
) -> None:
    try:
        found[key] = Finding(check, name, figures=look())
    except UnhealthyError as error:
        found[key] = Finding(check, name, False, error.code, error.message, error.figures)
    except BulkExportError as error:
        found[key] = Finding(check, name, False, error.code, error.message)
    except Exception as error:
        # Its words may quote anything; its kind does not.
        found[key] = Finding(check, name, False, "UNFORESEEN", type(error).__name__)


def _state(site: Site) -> Mapping[str, Figure]:
    list_runs(site.engine, limit=1)  # opening it brings it to this release's schema
    return {"schema": HEAD}


def _definitions(site: Site) -> Mapping[str, Figure]:
    definitions = site.load()
    loaded = len(definitions.searches) + len(definitions.exports) + int(definitions.settings is not None)
    broken = sorted({problem.file for problem in definitions.problems if problem.blocks_loading})
    figures = {"loaded": loaded, "broken": len(broken)}
    if broken:
        raise UnhealthyError("DEFINITION_INVALID", f"these do not load: {', '.join(broken)}", **figures)
    return figures


def _contact_store(site: Site) -> Mapping[str, Figure]:
    """Read its files' footers or its table's description, and search for nobody."""
    with tempfile.TemporaryDirectory(prefix="bulk-export-health-") as scratch:
        store = site.open_contact_store(site.settings.contact_store, Path(scratch))
        store.count(among([], store.dialect))
    return {}


def _storage(site: Site, place: StorageLocation, name: str) -> Mapping[str, Figure]:
    """List, and write where what is written can be removed again."""
    storage = site.open_location(place)
    next(iter(storage.list(PROBE)), None)
    if isinstance(storage, Rights):
        storage.check_writable()
        return {}
    try:
        storage.delete([PROBE])
    except BulkExportError as error:
        if error.code != "STORAGE_DENIED":
            raise
        return {"unwritten": 1}  # an object left behind every minute would be worse than not to know
    check_writable(storage, reading=name == STAGING)
    return {}


def _runs(site: Site) -> Mapping[str, Figure]:
    found = open_runs(site.engine, long_before=site.clock() - LONG_OPEN)
    figures: dict[str, Figure] = {
        "open": found.count,
        "long_open": found.long_open,
        "oldest": found.oldest,
        "oldest_run": found.oldest_key,
    }
    if found.long_open:
        raise UnhealthyError("RUN_HANGS", f"{found.long_open} runs have been open for more than a day", **figures)
    return figures


def _quota(site: Site) -> Mapping[str, Figure]:
    settings = site.settings
    day = usage(site.engine, settings.environment.name, quota_day(site.clock(), settings.environment.time_zone))
    return {"used": day.used, "held": day.held, "limit": settings.licence.contacts_per_day}


def _maintenance(last: datetime | None, now: datetime) -> Mapping[str, Figure]:
    if last is None:
        raise UnhealthyError("MAINTENANCE_MISSING", "the maintenance DAG has never succeeded", last=None)
    if now - last > OVERDUE_AFTER:
        words = "the maintenance DAG has not succeeded for more than half an hour"
        raise UnhealthyError("MAINTENANCE_OVERDUE", words, last=last)
    return {"last": last}
