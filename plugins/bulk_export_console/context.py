"""The context of a request: the installation, its clock, Airflow's refresh.

The one place of the console that reads the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Annotated

from airflow.configuration import conf
from fastapi import Depends

from bulk_export.definitions.folder import definitions_folder
from bulk_export.definitions.store import DefinitionStore
from bulk_export.site import Site
from bulk_export_airflow.connections import credentials, database_url
from bulk_export_airflow.maintenance_status import last_maintenance_success
from bulk_export_airflow.refresh import request_refresh
from bulk_export_console.health import HealthChecks
from bulk_export_console.rate import RateLimit

if TYPE_CHECKING:
    from bulk_export.definitions.settings import Settings

PREVIEWS_PER_MINUTE = 20


@dataclass(frozen=True)
class ConsoleContext:
    """What one request works on.

    A new one each time, so that edited settings count at once.

    Attributes:
        site: the installation.
        request_refresh: asks Airflow to read the definitions again now.
        base_url: Airflow's address as its users know it.
        previews: how often somebody may look at contacts.
        last_maintenance_success: asks Airflow when the maintenance DAG last succeeded.
        health: the health checks, with their last results.
    """

    site: Site
    request_refresh: Callable[[], None] = lambda: None
    base_url: str = ""
    previews: RateLimit = field(default_factory=lambda: RateLimit(PREVIEWS_PER_MINUTE, 60.0))
    last_maintenance_success: Callable[[], datetime | None] = lambda: None
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
    """The context of a request in Airflow's API server; tests override it."""
    site = Site(
        definitions=definitions_folder(os.environ),
        clock=lambda: datetime.now(UTC),
        credentials=credentials,
        database_url=database_url,
        waits_for_state=False,  # whoever looks at a page is told at once
    )
    return ConsoleContext(
        site=site,
        request_refresh=request_refresh,
        base_url=conf.get("api", "base_url", fallback=""),
        previews=_previews(),
        last_maintenance_success=last_maintenance_success,
        health=_health(),
    )


@cache
def _previews() -> RateLimit:
    """The process's rate limit, which outlives a request."""
    return RateLimit(PREVIEWS_PER_MINUTE, 60.0)


@cache
def _health() -> HealthChecks:
    """The process's health checks, whose results are cached."""
    return HealthChecks()


ContextDep = Annotated[ConsoleContext, Depends(get_context)]
