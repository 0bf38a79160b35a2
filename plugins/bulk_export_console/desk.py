"""What the pages work on: the installation, the clock, Airflow's refresh. The one place that reads the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends

from bulk_export.site import Site
from bulk_export_console.health import HealthChecks
from bulk_export_console.rate import RateLimit

if TYPE_CHECKING:
    from bulk_export.definitions.settings import Settings
    from bulk_export.definitions.store import DefinitionStore

DEFINITIONS_VARIABLE = "BULK_EXPORT_DEFINITIONS"
PROJECT_DEFINITIONS = Path(__file__).resolve().parents[2] / "include" / "definitions"

PREVIEWS_PER_MINUTE = 20


@dataclass(frozen=True)
class Desk:
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
        from bulk_export.definitions.store import DefinitionStore

        return DefinitionStore(self.site.definitions)


def get_desk() -> Desk:
    """The desk of a request inside Airflow's API server; tests put their own in its place."""
    from airflow.configuration import conf

    from bulk_export_console.refresh import request_refresh
    from bulk_export_console.upkeep import last_upkeep

    folder = Path(os.environ.get(DEFINITIONS_VARIABLE) or PROJECT_DEFINITIONS)
    site = Site(
        definitions=folder,
        clock=lambda: datetime.now(UTC),
        credentials=lambda name: _connections().credentials(name),
        database_url=lambda name: _connections().database_url(name),
    )
    return Desk(site, request_refresh, conf.get("api", "base_url", fallback=""), _previews(), last_upkeep, _health())


@cache
def _previews() -> RateLimit:
    """One for the process, so that it outlives a request."""
    return RateLimit(PREVIEWS_PER_MINUTE, 60.0)


@cache
def _health() -> HealthChecks:
    """One for the process: what was found out stays for a while."""
    return HealthChecks()


def _connections() -> Any:
    """How the DAGs read Airflow connections: the same for the pages, whose process does not know the DAG folder."""
    from airflow.configuration import conf

    folder = conf.get("core", "dags_folder")
    if folder not in sys.path:
        sys.path.append(folder)
    import export_connections

    return export_connections


DeskDep = Annotated[Desk, Depends(get_desk)]
