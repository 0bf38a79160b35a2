"""The real app on a real installation: Airflow's own auth manager decides, only who asks is said by a header."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException, Request
from starlette.testclient import TestClient

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pipeline"))

from workbench import Workbench

ROLES = {"ada": "USER", "vera": "VIEWER", "nobody": None}


@dataclass
class Console:
    """The pages on a workbench."""

    bench: Workbench
    app: Any
    refreshes: list[str] = field(default_factory=list)

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


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    bench = Workbench(tmp_path)
    bench.contacts([bench.call(number) for number in range(1, 6)])
    return bench


@pytest.fixture
def console(bench: Workbench) -> Iterator[Console]:
    from airflow.api_fastapi.core_api.security import get_user

    from bulk_export_console.app import create_app
    from bulk_export_console.desk import PREVIEWS_PER_MINUTE, Desk, get_desk
    from bulk_export_console.rate import RateLimit

    app = create_app()
    console = Console(bench, app)
    previews = RateLimit(PREVIEWS_PER_MINUTE, 60.0)
    app.dependency_overrides[get_user] = _user
    app.dependency_overrides[get_desk] = lambda: Desk(
        bench.site(), lambda: console.refreshes.append("asked"), "http://testserver", previews
    )
    yield console
