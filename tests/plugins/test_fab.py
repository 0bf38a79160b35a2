"""The pages behind FAB, as an installation for many people has them: a real API server, real users and roles."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bulk_export_airflow import permissions
from local_airflow import processes
from local_airflow.config import MARK, Folders, airflow_environment, free_ports, kept_secrets

if TYPE_CHECKING:
    from workbench import Workbench

    from conftest import EveryCall

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("airflow.providers.fab") is None,
        reason="apache-airflow-providers-fab is not installed",
    ),
    pytest.mark.xdist_group("airflow"),
]

PROJECT = Path(__file__).resolve().parents[2]
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
PASSWORD = "a long one, for tests"
ROLES = {
    "ada": ["User", permissions.ROLE],
    "vera": ["Viewer", permissions.ROLE],
    "root": ["Admin"],
    "nobody": ["User"],
}
# What an init job does: the tables, then the permission; the users are the test's.
PREPARE = f"""
import json, sys
from airflow.utils import db
db.initdb()
from bulk_export_airflow import permissions
assert permissions.main([]) == 0
assert permissions.main(["--role", "Nobody at all"]) == 2
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
with get_application_builder() as builder:
    for name, roles in json.loads(sys.argv[1]).items():
        roles = [builder.sm.find_role(role) for role in roles]
        assert builder.sm.add_user(name, name, name, name + "@example.com", roles, {PASSWORD!r})
"""
LIMIT_S = 180
SAME = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())


@dataclass(frozen=True)
class Server:
    """Airflow's API server with FAB, and the installation its pages show."""

    url: str
    bench: Workbench
    run_key: str
    tokens: dict[str, str]

    def ask(self, method: str, path: str, user: str = "", body: Mapping[str, Any] | None = None) -> int:
        """Status of the answer."""
        headers = SAME | ({"Authorization": f"Bearer {self.token(user)}"} if user else {})
        return _send(self.url + path, method, headers, json.dumps(body or {}))[0]

    def token(self, user: str) -> str:
        if user not in self.tokens:
            wanted = json.dumps({"username": user, "password": PASSWORD})
            self.tokens[user] = _send(f"{self.url}/auth/token", "POST", SAME, wanted)[1]["access_token"]
        return self.tokens[user]


def _send(url: str, method: str, headers: Mapping[str, str], body: str) -> tuple[int, Any]:
    data = None if method == "GET" else body.encode()
    request = urllib.request.Request(url, data=data, headers=dict(headers), method=method)
    try:
        with _direct.open(request, timeout=60) as answer:
            content = answer.read()
            return answer.status, json.loads(content) if "json" in answer.headers["content-type"] else content
    except urllib.error.HTTPError as error:
        return error.code, {}


@pytest.fixture(scope="module")
def fab_server(tmp_path_factory: pytest.TempPathFactory, make_bench: Callable[[Path], Workbench]) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("fab")
    bench = make_bench(root / "installation")
    record = bench.run(bench.export("nightly"), run_id="export-nightly/x", dag_id="export-nightly")
    folders = Folders(root / "airflow", PROJECT / "dags", PROJECT / "plugins", bench.definitions)
    folders.home.mkdir()
    ports = free_ports((0, 0, 0))
    environment = airflow_environment(os.environ, folders, ports, kept_secrets(folders.home), {}, "fab-test")
    environment |= {"AIRFLOW__CORE__AUTH_MANAGER": FAB, "PYTHONPATH": str(PROJECT / "scripts")}
    subprocess.run([sys.executable, "-c", PREPARE, json.dumps(ROLES)], env=environment, check=True)
    command = [sys.executable, "-m", "airflow", "api-server"]
    leader = processes.start(command, environment, folders.home / "api-server.log", MARK)
    try:
        url = f"http://127.0.0.1:{ports.api}"
        deadline = time.monotonic() + LIMIT_S
        while not _up(url):
            assert leader.alive(), (folders.home / "api-server.log").read_text()[-3_000:]
            assert time.monotonic() < deadline, f"no answer after {LIMIT_S} s"
            time.sleep(0.2)
        yield Server(url, bench, record.run_key, {})
    finally:
        processes.end(leader, grace_s=2)  # it would wait for connections that nobody closes


def _up(url: str) -> bool:
    try:
        return _send(f"{url}/api/v2/version", "GET", {}, "")[0] == HTTPStatus.OK
    except OSError:
        return False


@pytest.fixture(scope="module")
def calls(every_call: EveryCall, fab_server: Server) -> list[tuple[str, str]]:
    """Every route, with names of what is there."""
    from bulk_export_console.app import create_app

    known = {
        "/runs/x": f"/runs/{fab_server.run_key}",
        "/exports/x": "/exports/nightly",
        "/searches/x": "/searches/everything",
        "/dag/x": "/dag/export-nightly",
        "/dag-run/x": "/dag-run/export-nightly",
    }
    found = []
    for method, path in every_call(create_app()):
        for made_up, real in known.items():
            path = real + path.removeprefix(made_up) if f"{path}/".startswith(f"{made_up}/") else path  # noqa: PLW2901
        query = f"?run={fab_server.run_key}" if path == "/audit/progress" else ""
        found.append((method, f"/bulk-export{path}{query}"))
    assert len(found) > 15
    return found


def test_nobody_gets_anywhere_without_signing_in(fab_server: Server, calls: list[tuple[str, str]]) -> None:
    assert {call: fab_server.ask(*call) for call in calls} == dict.fromkeys(calls, HTTPStatus.UNAUTHORIZED)


def test_a_user_without_the_permission_is_refused_everywhere_and_that_is_logged(
    fab_server: Server, calls: list[tuple[str, str]]
) -> None:
    from bulk_export.state.events import list_events

    assert {call: fab_server.ask(*call, "nobody") for call in calls} == dict.fromkeys(calls, HTTPStatus.FORBIDDEN)
    refused = list_events(fab_server.bench.site().engine, who="nobody", action="refused", limit=1_000)
    # The path a proxy or Airflow put before it may be part of what is logged.
    assert {event.subject.replace(" /bulk-export", " ") for event in refused} == {
        f"{method} {path.partition('?')[0].removeprefix('/bulk-export')}" for method, path in calls
    }


@pytest.mark.parametrize("user", ["ada", "root"])
def test_whoever_has_the_permission_and_may_edit_dags_gets_everywhere(
    fab_server: Server, calls: list[tuple[str, str]], user: str
) -> None:
    for method, path in calls:
        status = fab_server.ask(method, path, user)
        if method == "GET":
            let_in = {HTTPStatus.OK, HTTPStatus.TEMPORARY_REDIRECT}
            # No Airflow runs the maintenance DAG here, and the health page says so.
            let_in |= {HTTPStatus.SERVICE_UNAVAILABLE} if path.endswith("/health") else set()
            assert status in let_in, (path, status)
        else:  # an empty form, which most routes do not understand
            assert status in {HTTPStatus.OK, HTTPStatus.UNPROCESSABLE_ENTITY}, (path, status)


def test_whoever_may_only_read_dags_reads_and_changes_nothing(fab_server: Server, calls: list[tuple[str, str]]) -> None:
    for method, path in calls:
        status = fab_server.ask(method, path, "vera")
        assert (status == HTTPStatus.FORBIDDEN) == (method != "GET"), (method, path, status)


def test_the_role_shows_the_pages_in_the_navigation(fab_server: Server) -> None:
    for user, status in (("ada", HTTPStatus.OK), ("vera", HTTPStatus.OK), ("nobody", HTTPStatus.FORBIDDEN)):
        assert fab_server.ask("GET", "/api/v2/plugins", user) == status


def test_exactly_the_roles_that_were_named_have_the_permission_once_the_server_has_started(fab_server: Server) -> None:
    """Each start of a server puts FAB's own roles right again."""
    with closing(sqlite3.connect(fab_server.bench.root.parent / "airflow/airflow.db")) as connection:
        roles = connection.execute(
            "SELECT role.name FROM ab_role role JOIN ab_permission_view_role link ON link.role_id = role.id"
            " JOIN ab_permission_view pair ON pair.id = link.permission_view_id"
            " JOIN ab_view_menu resource ON resource.id = pair.view_menu_id WHERE resource.name = ?",
            [permissions.PERMISSION],
        ).fetchall()
    assert {name for (name,) in roles} == {"Admin", "Op", permissions.ROLE}
