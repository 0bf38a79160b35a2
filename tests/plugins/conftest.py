"""The real app on a real installation: Airflow's own auth manager decides, only who asks is said by a header."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException, Request
from fastapi.routing import APIRoute
from starlette.routing import Mount
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pipeline"))

from workbench import Workbench

EveryCall = Callable[[Any], list[tuple[str, str]]]
ROLES = {"ada": "USER", "vera": "VIEWER", "nobody": None}


@dataclass
class Console:
    """The pages on a workbench."""

    bench: Workbench
    app: Any
    refreshes: list[str] = field(default_factory=list)
    last_maintenance_success: datetime | None = None
    seconds: float = 0.0

    def client(self, user: str = "ada") -> TestClient:
        headers = {"X-Test-User": user} if user else {}
        return TestClient(self.app, headers=headers, raise_server_exceptions=False)

    def events(self, action: str) -> list[Any]:
        from bulk_export.state.events import list_events

        return list_events(self.bench.site().engine, action=action)


def _user(request: Request) -> Any:
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    name = request.headers.get("x-test-user")
    if name is None:
        raise HTTPException(401, "Not authenticated")
    return SimpleAuthManagerUser(username=name, role=ROLES[name])


@pytest.fixture(scope="session", autouse=True)
def auth_manager() -> None:
    from airflow.api_fastapi.app import create_auth_manager

    create_auth_manager()


@pytest.fixture(scope="session")
def every_call() -> EveryCall:
    """Method and path of every route of the app but the static files."""

    def calls(app: Any) -> list[tuple[str, str]]:
        found = []
        for route in app.routes:
            if isinstance(route, Mount):
                assert route.path == "/static", f"{route.path} is mounted without a guard"
                continue
            assert isinstance(route, APIRoute), f"{route} is no route that the guard protects"
            path = route.path.replace(":path", "")
            for name in route.param_convertors:
                path = path.replace(f"{{{name}}}", "x")
            found += [(method, path) for method in sorted(route.methods)]
        return found

    return calls


@pytest.fixture(scope="session")
def make_bench() -> Callable[[Path], Workbench]:
    """Sets up an installation with five calls."""

    def made(root: Path) -> Workbench:
        bench = Workbench(root)
        bench.contacts([bench.call(number) for number in range(1, 6)])
        return bench

    return made


@pytest.fixture
def bench(tmp_path: Path, make_bench: Callable[[Path], Workbench]) -> Workbench:
    return make_bench(tmp_path)


@pytest.fixture
def console(bench: Workbench) -> Iterator[Console]:
    from airflow.api_fastapi.core_api.security import get_user

    from bulk_export_console.app import create_app
    from bulk_export_console.context import PREVIEWS_PER_MINUTE, ConsoleContext, get_context
    from bulk_export_console.health import HealthChecks
    from bulk_export_console.rate import RateLimit

    app = create_app()
    console = Console(bench, app)
    previews = RateLimit(PREVIEWS_PER_MINUTE, 60.0)
    app.dependency_overrides[get_user] = _user
    health = HealthChecks(within_s=60, clock=lambda: console.seconds)
    app.dependency_overrides[get_context] = lambda: ConsoleContext(
        bench.site(),
        lambda: console.refreshes.append("asked"),
        "http://testserver",
        previews,
        lambda: console.last_maintenance_success,
        health,
    )
    yield console
