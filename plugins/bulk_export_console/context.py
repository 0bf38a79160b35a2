"""What the pages work on: the installation, the clock, Airflow's refresh. The one place that reads the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated

from airflow.configuration import conf
from fastapi import Depends

from bulk_export.definitions.store import DefinitionStore
from bulk_export.site import Site
from bulk_export_airflow.connections import credentials, database_url
from bulk_export_airflow.site import definitions_folder
from bulk_export_console.health import HealthChecks
from bulk_export_console.maintenance_status import last_upkeep
from bulk_export_console.rate import RateLimit
from bulk_export_console.refresh import request_refresh

if TYPE_CHECKING:
    from bulk_export.definitions.settings import Settings

PREVIEWS_PER_MINUTE = 20


@dataclass(frozen=True)
class ConsoleContext:
    """What one request works on; a new one each time, so that edited settings count at once.

    Attributes:
        site: the installation.
        request_refresh: asks Airflow to read the definitions again now.
        base_url: Airflow's address as its users know it.
        previews: how often somebody may look at contacts.
        last_upkeep: asks Airflow when the maintenance DAG last ended well.
        health: what was found when it was last looked.
    """

    site: Site
    request_refresh: Callable[[], None] = lambda: None
    base_url: str = ""
    previews: RateLimit = field(default_factory=lambda: RateLimit(PREVIEWS_PER_MINUTE, 60.0))
    last_upkeep: Callable[[], datetime | None] = lambda: None
    health: HealthChecks = field(default_factory=HealthChecks)

    def now(self) -> datetime:
        """The current time, aware UTC."""
        return self.site.clock()

    @property
    def settings(self) -> Settings:
        """The administrator's settings; `DefinitionError` when they do not load."""
        return self.site.settings

    @cached_property
    def store(self) -> DefinitionStore:
        """The definition files."""
        return DefinitionStore(self.site.definitions)


def get_context() -> ConsoleContext:
    """The desk of a request inside Airflow's API server; tests put their own in its place."""
    site = Site(
        definitions=definitions_folder(),
        clock=lambda: datetime.now(UTC),
        credentials=credentials,
        database_url=database_url,
    )
    return ConsoleContext(
        site, request_refresh, conf.get("api", "base_url", fallback=""), _previews(), last_upkeep, _health()
    )


@cache
def _previews() -> RateLimit:
    """One for the process, so that it outlives a request."""
    return RateLimit(PREVIEWS_PER_MINUTE, 60.0)


@cache
def _health() -> HealthChecks:
    """One for the process: what was found out stays for a while."""
    return HealthChecks()


ContextDep = Annotated[ConsoleContext, Depends(get_context)]
