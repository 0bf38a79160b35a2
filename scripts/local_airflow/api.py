"""Ask a running Airflow over its public REST API."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

BUSY_TRIES, BUSY_PAUSE_S = 10, 0.5
# What Airflow answers when SQLite was busy; it rolled the request back.
BUSY = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)

# What a person typed into NO_PROXY does not matter: the server is on this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ApiError(Exception):
    """Airflow answered with an error.

    Attributes:
        status: HTTP status.
        detail: what Airflow says about it.
    """

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"HTTP {status}: {detail}")
        self.status = status
        self.detail = detail


class AirflowApi:
    """A signed-in client."""

    def __init__(self, url: str, user: str, password: str, timeout_s: float = 90) -> None:
        self.url = url
        self._credentials = {"username": user, "password": password}
        self._timeout_s = timeout_s
        self._token = ""

    def request(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Send one JSON request; sign in when there is no session."""
        self.token()
        for attempt in range(BUSY_TRIES):
            try:
                return self._send(method, f"/api/v2{path}", body)
            except ApiError as error:
                if error.status == HTTPStatus.UNAUTHORIZED:
                    self._token = self._send("POST", "/auth/token", self._credentials)["access_token"]
                elif error.status not in BUSY or attempt == BUSY_TRIES - 1:
                    raise
                else:
                    time.sleep(BUSY_PAUSE_S)
        raise AssertionError("unreachable")

    def token(self) -> str:
        """Token of the session; sign in when there is none."""
        if not self._token:
            self._token = self._send("POST", "/auth/token", self._credentials)["access_token"]
        return self._token

    def _send(self, method: str, path: str, body: Mapping[str, object] | None) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with _direct.open(request, timeout=self._timeout_s) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            raise ApiError(error.code, error.read().decode(errors="replace")[:2_000]) from None
        return json.loads(content) if content else None

    def health(self) -> Mapping[str, str]:
        """State of each part, such as `{"scheduler": "healthy"}`."""
        parts = self._send("GET", "/api/v2/monitor/health", None)
        return {name: part["status"] for name, part in parts.items() if part and part.get("status")}

    def dag_ids(self) -> list[str]:
        """Every DAG that is up."""
        return [dag["dag_id"] for dag in self.request("GET", "/dags?limit=1000")["dags"]]

    def read_again(self, dag_id: str) -> None:
        """Ask Airflow to parse the file of a DAG at once."""
        token = self.request("GET", f"/dags/{quote(dag_id)}")["file_token"]
        try:
            self.request("PUT", f"/parseDagFile/{token}")
        except ApiError as error:
            if error.status != HTTPStatus.CONFLICT:  # asked before, and Airflow has not come to it yet
                raise

    def trigger(self, dag_id: str, conf: Mapping[str, object] | None = None, logical_date: str | None = None) -> str:
        """Start a run; returns its id."""
        body = {"logical_date": logical_date, "conf": dict(conf or {})}
        return str(self.request("POST", f"/dags/{quote(dag_id)}/dagRuns", body)["dag_run_id"])

    def run(self, dag_id: str, run_id: str) -> Mapping[str, Any]:
        """A run as Airflow sees it."""
        found: Mapping[str, Any] = self.request("GET", f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}")
        return found

    def task_instances(self, dag_id: str, run_id: str) -> list[Mapping[str, Any]]:
        """The tasks of a run; mapped ones once per job."""
        path = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances?limit=1000"
        return list(self.request("GET", path)["task_instances"])

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1) -> str:
        """The log of one try of a task, as text lines."""
        task = f"/dags/{quote(dag_id)}/dagRuns/{quote(run_id)}/taskInstances/{task_id}"
        content = self.request("GET", f"{task}/logs/{try_number}?full_content=true")["content"]
        return "\n".join(line if isinstance(line, str) else str(line.get("event", "")) for line in content)
