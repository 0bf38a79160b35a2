"""One real Airflow for the suites that need one: scheduler, DAG processor, API server and triggerer.

It is started by the first test that asks for it, on free ports and in folders of its own, and ended with everything it
started: when tests fail, and also when they are killed. Suites take turns: each installs its own definitions.

Its own database is PostgreSQL. With SQLite the API server writes the log of a request on the event loop that a task's
open write may need in order to end: nothing moves until the wait for the lock is over, and then everything that waited
fails, the scheduler included.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from bulk_export.site import Site
from bulk_export.state.records import RunRecord
from bulk_export.state.runs import get_run
from local_airflow.api import AirflowApi
from local_airflow.config import Folders, free_ports
from local_airflow.guard import watch_over
from local_airflow.instance import USER, LocalAirflow
from local_airflow.watch import ENDED
from postgres_server import PostgresServer, postgres
from receivers import MetricsServer, metrics_server
from waiting import Found, until

PROJECT = Path(__file__).resolve().parents[1]
# The DAG files that are made from definitions.
DAG_FILES = ("saved_exports.py", "bulk_contact_export_now.py", "broken_definitions.py")
NOW = "bulk_contact_export_now"
# Each look is a request that Airflow answers on the cores its tasks need.
LOOK_EVERY_S = 0.3

# A second DAG folder beside the project's, as other teams have theirs: this DAG waits for what `export-calls` delivers.
CONSUMER = """
from airflow.sdk import DAG, Asset, task

with DAG(dag_id="consumer", schedule=[Asset("bulk_export/calls")], is_paused_upon_creation=False):

    @task
    def read(triggering_asset_events=None):
        return [event.extra["directory"] for event in triggering_asset_events[Asset("bulk_export/calls")]]

    read()
"""
# What Airflow takes minutes for is looked at every few seconds: tasks of a scheduler that was killed.
AIRFLOW_SETTINGS = """
[dag_processor]
dag_bundle_config_list = {bundles}
[scheduler]
orphaned_tasks_check_interval = 5
scheduler_health_check_threshold = 15
[metrics]
statsd_on = True
statsd_host = 127.0.0.1
statsd_port = {metrics_port}
statsd_prefix = airflow
"""
ENVIRONMENT = {"BULK_EXPORT_RETRY_DELAY_S": "1"}


@dataclass(frozen=True)
class Done:
    """A run that has ended, as Airflow and as the audit see it."""

    dag_id: str
    run_id: str
    state: str
    tasks: dict[str, list[dict[str, Any]]]
    site: Site

    @property
    def record(self) -> RunRecord:
        return get_run(self.site.engine, f"{self.dag_id}/{self.run_id}")

    @property
    def directory(self) -> Path:
        return Path(self.record.destination_uri.removeprefix("file://")) / self.record.directory

    def states(self) -> dict[str, set[str]]:
        return {task: {one["state"] for one in ones} for task, ones in self.tasks.items()}


@dataclass
class Running:
    """The Airflow under test and the folder of everything it works on; not started before something is installed."""

    root: Path
    instance: LocalAirflow
    database: PostgresServer
    metrics: MetricsServer
    installed: str = ""

    @cached_property
    def api(self) -> AirflowApi:
        """Airflow's own API, as the administrator."""
        found = self.instance.found()
        assert found is not None
        return self.instance.api(found)

    def install(self, name: str, files: Mapping[str, str]) -> None:
        """Put definitions in the place of those that are there, and wait until Airflow has read them.

        Args:
            name: of the installation; nothing is done where it is installed already.
            files: text by path, such as `exports/calls.yaml`.
        """
        if self.installed == name:
            return
        for path in self.definitions.rglob("*.yaml"):
            path.unlink()
        for file, text in files.items():
            path = self.definitions / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        if not self.installed:
            self.start()
        self.refresh()
        self.installed = name
        locations = set(self.site.settings.storage_locations)
        dag_ids = {f"export-{Path(file).stem}" for file in files if file.startswith("exports/")}
        self.until("its DAGs are up", lambda: dag_ids | {NOW} <= set(self.api.dag_ids()))
        self.until("its locations are offered", lambda: locations == self._offered_locations())
        self.until("nothing is broken", lambda: not self.import_errors())

    def _offered_locations(self) -> set[str]:
        """What the form of the immediate export offers."""
        params = self.api.request("GET", f"/dags/{NOW}/details")["params"]
        return set(params["storage_location"]["schema"]["enum"])

    def import_errors(self) -> list[dict[str, Any]]:
        """What Airflow says of files that do not load."""
        found: list[dict[str, Any]] = self.api.request("GET", "/importErrors")["import_errors"]
        return found

    @property
    def definitions(self) -> Path:
        return self.root / "definitions"

    @property
    def site(self) -> Site:
        return Site(definitions=self.definitions, clock=lambda: datetime.now(UTC))

    def run(self, dag_id: str, **conf: object) -> Done:
        """Trigger a DAG and wait until its run has ended."""
        return self.follow(dag_id, self.api.trigger(dag_id, conf))

    @contextmanager
    def settings(self, **changes: Mapping[str, object]) -> Iterator[None]:
        """Other settings for the runs that begin inside; each run keeps those it began with."""
        path = self.definitions / "settings.yaml"
        before = path.read_text()
        path.write_text(json.dumps(yaml.safe_load(before) | changes))  # JSON is YAML
        try:
            yield
        finally:
            path.write_text(before)

    def export(self, name: str, **content: object) -> str:
        """Save an export; returns the id of its DAG."""
        (self.definitions / f"exports/{name}.yaml").write_text(
            json.dumps({"name": name, "storage_location": "archive"} | content)
        )
        return f"export-{name}"

    def start(self) -> None:
        """Start Airflow; anew after a crash: on the same home, at the same address."""
        found = self.instance.found()
        started = self.instance.start(os.environ | ENVIRONMENT, found.ports if found else free_ports((0, 0, 0)))
        watch_over(self.instance.folders.home, os.getpid())
        self.instance.wait(started, limit_s=300)

    def scheduler(self) -> psutil.Process:
        """The process that tasks are forked from."""
        running = self.instance.found()
        assert running is not None
        children = psutil.Process(running.leader.pid).children()
        [scheduler] = [child for child in children if child.cmdline()[-1:] == ["scheduler"]]
        return scheduler

    def until(self, what: str, holds: Callable[[], Found], limit_s: float = 300) -> Found:
        """Wait until something holds, and return it."""
        return until(what, holds, limit_s, every_s=LOOK_EVERY_S)

    def refresh(self) -> None:
        """Ask Airflow to read the definitions again now, as the UI does when it saves one."""
        for file in DAG_FILES:
            self.airflow_database(
                "INSERT INTO dag_priority_parsing_request (id, bundle_name, relative_fileloc)"
                " VALUES (%s, 'dags-folder', %s) ON CONFLICT DO NOTHING",
                file,
                file,
            )

    def up(self, *dag_ids: str) -> None:
        """Wait until DAGs are up, asking for them."""
        self.refresh()
        self.until(f"{dag_ids} are up", lambda: set(dag_ids) <= set(self.api.dag_ids()))

    def runs_of(self, dag_id: str) -> list[dict[str, Any]]:
        """The runs of a DAG as Airflow sees them, oldest first."""
        found: list[dict[str, Any]] = self.api.request("GET", f"/dags/{dag_id}/dagRuns?order_by=id")["dag_runs"]
        return found

    def record(self, dag_id: str, run_id: str) -> RunRecord:
        """A run as the audit sees it."""
        return get_run(self.site.engine, f"{dag_id}/{run_id}")

    def tasks(self, dag_id: str, run_id: str, task_id: str, *states: str) -> list[Mapping[str, Any]]:
        """The instances of a task that are in one of some states."""
        every = self.api.task_instances(dag_id, run_id)
        return [task for task in every if task["task_id"] == task_id and task["state"] in states]

    def airflow_database(self, statement: str, *values: object) -> None:
        """Let time pass for Airflow: change its database under it."""
        with self.database.connect() as connection:
            connection.execute(statement, values)

    def state_database(self, statement: str, *values: object) -> None:
        """Let time pass for the product: change its database under it."""
        with closing(sqlite3.connect(self.root / "state.db", timeout=60)) as connection, connection:
            connection.execute(statement, values)

    @contextmanager
    def nobody_writes_the_audit(self) -> Iterator[None]:
        """Hold the state database's lock: no stage can end inside, because each has something to record."""
        connection = sqlite3.connect(self.root / "state.db", timeout=60, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
        finally:
            connection.close()

    def follow(self, dag_id: str, run_id: str) -> Done:
        """Wait until a run has ended."""
        state = self.until(f"{run_id} of {dag_id} has ended", lambda: self._ended(dag_id, run_id), limit_s=300)
        tasks: dict[str, list[dict[str, Any]]] = {}
        for task in self.api.task_instances(dag_id, run_id):
            tasks.setdefault(task["task_id"], []).append(dict(task))
        return Done(dag_id, run_id, state, tasks, self.site)

    def _ended(self, dag_id: str, run_id: str) -> str:
        """How a run ended; empty while it goes on."""
        state = str(self.api.run(dag_id, run_id)["state"])
        return state if state in ENDED else ""


def write_airflow_settings(root: Path, metrics_port: int) -> None:
    (root / "consumers").mkdir()
    (root / "consumers/consumer.py").write_text(CONSUMER)
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    bundles = [
        {"name": "dags-folder", "classpath": local, "kwargs": {}},
        {"name": "consumers", "classpath": local, "kwargs": {"path": str(root / "consumers")}},
    ]
    (root / "airflow").mkdir()
    (root / "airflow/airflow.cfg").write_text(
        AIRFLOW_SETTINGS.format(bundles=json.dumps(bundles), metrics_port=metrics_port)
    )


@pytest.fixture(scope="session")
def running_airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The one Airflow of the session."""
    root = tmp_path_factory.mktemp("installation")
    folders = Folders(root / "airflow", PROJECT / "dags", PROJECT / "plugins", root / "definitions")
    with metrics_server() as metrics, postgres(root) as database:
        address = database.url.replace("postgresql://", "postgresql+psycopg://")
        instance = LocalAirflow(folders, {USER: "admin", "viewer": "viewer"}, address)
        write_airflow_settings(root, metrics.port)
        try:
            yield Running(root, instance, database, metrics)
        finally:
            instance.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that kill Airflow come last: what they leave is theirs alone."""
    items.sort(key=lambda item: item.get_closest_marker("kills_airflow") is not None)
