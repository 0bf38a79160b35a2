"""One real Airflow for all tests of this folder: scheduler, DAG processor, API server and triggerer, with SQLite.

It is started once, on free ports and in folders of its own, and ended with everything it started: when tests fail, and
also when they are killed.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from bulk_export.site import Site
from bulk_export.state.records import RunRecord
from bulk_export.state.runs import get_run
from bulk_export_sample import make_sample_store
from local_airflow.api import AirflowApi
from local_airflow.config import Folders, free_ports
from local_airflow.guard import watch_over
from local_airflow.instance import LocalAirflow
from local_airflow.watch import Watch
from receivers import MetricsServer, metrics_server
from waiting import Found, until

PROJECT = Path(__file__).resolve().parents[2]

SETTINGS = """
environment: {name: test, time_zone: UTC}
licence: {type: performance, job_contacts: 10}
contact_store: {type: parquet, uri: ../store}
storage_locations:
  archive: {type: local, path: ../exports}
  other: {type: local, path: ../elsewhere}
staging: {type: local, path: ../staging}
state: {url: sqlite:///../state.db}
"""
SEARCHES = {
    "recent": "name: Recent calls\nfilters:\n"
    "  - {field: started_at, operator: last_days, value: 30}\n"
    "  - {field: contact_type, operator: is_any_of, value: [CALL]}\n",
    "everything": "name: Everything\nfilters:\n  - {field: started_at, operator: after, value: 2000-01-01}\n",
    "none": "name: Nobody\nfilters:\n  - {field: agent_id, operator: equals, value: nobody at all}\n",
    "incomplete": "name: Forgotten score\nfilters:\n"
    "  - {field: started_at, operator: last_days, value: 30}\n"
    "  - {field: predictive_net_promoter_score, operator: equals}\n",
}
EXPORT = (
    "name: {name}\nsearch: {search}\nstorage_location: archive\nmedia: {{audio_only: original}}\ntranscripts: json\n"
)


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


@dataclass(frozen=True)
class Running:
    """The Airflow under test and the folder of everything it works on."""

    api: AirflowApi
    root: Path
    instance: LocalAirflow
    metrics: MetricsServer

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
        """Start Airflow anew after a crash: on the same home, at the same address."""
        found = self.instance.found()
        assert found is not None
        started = self.instance.start(os.environ | ENVIRONMENT, found.ports)
        watch_over(self.instance.folders.home, os.getpid())
        self.instance.wait(started, limit_s=300)

    def scheduler(self) -> psutil.Process:
        """The process that tasks are forked from."""
        running = self.instance.found()
        assert running is not None
        children = psutil.Process(running.leader.pid).children()
        [scheduler] = [child for child in children if child.cmdline()[-1:] == ["scheduler"]]
        return scheduler

    def until(self, what: str, holds: Callable[[], Found], limit_s: float = 150) -> Found:
        """Wait until something holds, and return it."""
        return until(what, holds, limit_s)

    def refresh(self) -> None:
        """Ask Airflow to read the definitions again now, as the UI does when it saves one."""
        self.api.read_again("export-calls")

    def up(self, *dag_ids: str) -> None:
        """Wait until DAGs are up, asking for them."""
        self.until("export-calls is up", lambda: "export-calls" in self.api.dag_ids())
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
        _change(self.root / "airflow/airflow.db", statement, *values)

    def state_database(self, statement: str, *values: object) -> None:
        """Let time pass for the product: change its database under it."""
        _change(self.root / "state.db", statement, *values)

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
        state = Watch(self.api, self.definitions, print).follow(dag_id, run_id, limit_s=300)
        tasks: dict[str, list[dict[str, Any]]] = {}
        for task in self.api.task_instances(dag_id, run_id):
            tasks.setdefault(task["task_id"], []).append(dict(task))
        return Done(dag_id, run_id, state, tasks, self.site)


def _change(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path, timeout=60)) as connection, connection:
        connection.execute(statement, values)


def write_definitions(folder: Path, now: datetime) -> None:
    for kind in ("searches", "exports"):
        (folder / kind).mkdir(parents=True)
    (folder / "settings.yaml").write_text(SETTINGS)
    for name, text in SEARCHES.items():
        (folder / f"searches/{name}.yaml").write_text(text)
    for name, search in {"calls": "recent", "empty": "none", "incomplete": "incomplete"}.items():
        (folder / f"exports/{name}.yaml").write_text(EXPORT.format(name=f"{name} of the test", search=search))
    # Created a minute before a tick that will have passed when Airflow first sees the file.
    tick = now.replace(second=0, microsecond=0)
    (folder / "exports/late.yaml").write_text(
        EXPORT.format(name="late", search="none")
        + f'schedule: {{cron: "{tick.minute} {tick.hour} * * *", time_zone: UTC}}\n'
        + f"effective_from: {(tick - timedelta(minutes=1)).isoformat()}\n"
    )


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
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("installation")
    now = datetime.now(UTC)
    make_sample_store(root / "store", contacts=80, seed=11, until=now)
    write_definitions(root / "definitions", now)
    folders = Folders(root / "airflow", PROJECT / "dags", PROJECT / "plugins", root / "definitions")
    instance = LocalAirflow(folders)
    with metrics_server() as metrics:
        write_airflow_settings(root, metrics.port)
        try:
            started = instance.start(os.environ | ENVIRONMENT, free_ports((0, 0, 0)))
            watch_over(folders.home, os.getpid())
            instance.wait(started, limit_s=300)
            yield Running(instance.api(started), root, instance, metrics)
        finally:
            instance.stop()
