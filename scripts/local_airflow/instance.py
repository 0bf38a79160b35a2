"""Start, find and end one local Airflow."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from local_airflow import processes
from local_airflow.api import AirflowApi, ApiError
from local_airflow.config import (
    HOST,
    MARK,
    Folders,
    Ports,
    airflow_environment,
    free_ports,
    kept_secrets,
    write_private,
)
from local_airflow.processes import Leader

START_LIMIT_S = 300.0
PARTS = ("metadatabase", "scheduler", "dag_processor", "triggerer")
USER = "admin"


@dataclass(frozen=True, slots=True)
class Running:
    """An instance that was started: its first process and its ports."""

    leader: Leader
    ports: Ports

    @property
    def url(self) -> str:
        """Address of the UI and the API."""
        return f"http://{HOST}:{self.ports.api}"


class LocalAirflow:
    """The Airflow of one home folder; at most one runs."""

    def __init__(self, folders: Folders, users: Mapping[str, str] | None = None, database: str = "") -> None:
        self.folders = folders
        self.users = dict(users or {USER: "admin"})
        self.database = database
        self.log = folders.home / "standalone.log"
        self._record = folders.home / "running.json"

    @property
    def password(self) -> str:
        """The password of every user."""
        return kept_secrets(self.folders.home).password

    def api(self, running: Running, user: str = USER) -> AirflowApi:
        """A client signed in as one of the users."""
        return AirflowApi(running.url, user, self.password)

    def found(self) -> Running | None:
        """Instance as last started here, running or not."""
        try:
            record = json.loads(self._record.read_text())
            return Running(Leader(**record["leader"]), Ports(**record["ports"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def works(self, running: Running) -> bool:
        """Whether it is ours, runs and can execute tasks."""
        if not running.leader.alive():
            return False
        with suppress(OSError, ApiError, ValueError):
            # Signing in proves that the server on this port is the one with our password.
            self.api(running).request("GET", "/dags?limit=1")
            health = self.api(running).health()
            return all(health.get(part) == "healthy" for part in PARTS)
        return False

    def start(self, environment: Mapping[str, str], ports: Ports | None = None) -> Running:
        """Start a new instance; end what is left of an earlier one."""
        self.stop()
        home = self.folders.home
        home.mkdir(parents=True, exist_ok=True)
        kept, ports, mark = kept_secrets(home), ports or free_ports(), secrets.token_hex(8)
        write_private(home / "passwords.json", json.dumps(dict.fromkeys(self.users, kept.password)))
        settings = airflow_environment(environment, self.folders, ports, kept, self.users, mark, self.database)
        leader = processes.start([_program("airflow"), "standalone"], settings, self.log, MARK)
        running = Running(leader, ports)
        write_private(self._record, json.dumps({"leader": asdict(leader), "ports": asdict(ports)}))
        return running

    def wait(self, running: Running, limit_s: float = START_LIMIT_S, tick: Callable[[], None] = lambda: None) -> None:
        """Wait until it works.

        Raises:
            RuntimeError: it ended, or does not work after `limit_s` seconds; names the log.
        """
        deadline = time.monotonic() + limit_s
        while not self.works(running):
            if not running.leader.alive():
                raise RuntimeError(f"Airflow ended while starting. Its log is {self.log}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"Airflow does not work after {limit_s:.0f} s. Its log is {self.log}")
            tick()
            time.sleep(0.5)

    def stop(self) -> int:
        """End every process of the instance; return how many there were."""
        running = self.found()
        if running is None:
            return 0
        ended = processes.end(running.leader)
        self._record.unlink(missing_ok=True)
        return ended


def _program(name: str) -> str:
    return os.fspath(Path(sys.executable).parent / name)


def project_folders(project: Path) -> Folders:
    """The folders of the project's own instance."""
    return Folders(
        home=project / "var" / "airflow",
        dags=project / "dags",
        plugins=project / "plugins",
        definitions=project / "include" / "definitions",
    )
