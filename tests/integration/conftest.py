"""One real Airflow for all tests of this folder: scheduler, DAG processor, API server and triggerer, with SQLite.

It is started once, on free ports and in folders of its own, and ended with everything it started: when tests fail, and
also when they are killed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bulk_export.contacts.sample import make_sample_store
from bulk_export.pipeline import Site
from bulk_export.state.records import RunRecord
from bulk_export.state.runs import get_run
from local_airflow.api import AirflowApi
from local_airflow.config import Folders, free_ports
from local_airflow.guard import watch_over
from local_airflow.instance import LocalAirflow
from local_airflow.watch import Watch

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
    "none": "name: Nobody\nfilters:\n  - {field: agent_id, operator: equals, value: nobody at all}\n",
    "incomplete": "name: Forgotten score\nfilters:\n"
    "  - {field: started_at, operator: last_days, value: 30}\n"
    "  - {field: predictive_net_promoter_score, operator: equals}\n",
}
EXPORT = (
    "name: {name}\nsearch: {search}\nstorage_location: archive\nmedia: {{audio_only: original}}\ntranscripts: json\n"
)


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

    @property
    def definitions(self) -> Path:
        return self.root / "definitions"

    @property
    def site(self) -> Site:
        return Site(definitions=self.definitions, clock=lambda: datetime.now(UTC))

    def run(self, dag_id: str, **conf: object) -> Done:
        """Trigger a DAG and wait until its run has ended."""
        return self.follow(dag_id, self.api.trigger(dag_id, conf))

    def follow(self, dag_id: str, run_id: str) -> Done:
        """Wait until a run has ended."""
        state = Watch(self.api, self.definitions, print).follow(dag_id, run_id, limit_s=300)
        tasks: dict[str, list[dict[str, Any]]] = {}
        for task in self.api.task_instances(dag_id, run_id):
            tasks.setdefault(task["task_id"], []).append(dict(task))
        return Done(dag_id, run_id, state, tasks, self.site)


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


@pytest.fixture(scope="session")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    root = tmp_path_factory.mktemp("installation")
    now = datetime.now(UTC)
    make_sample_store(root / "store", contacts=80, seed=11, until=now)
    write_definitions(root / "definitions", now)
    folders = Folders(root / "airflow", PROJECT / "dags", PROJECT / "plugins", root / "definitions")
    instance = LocalAirflow(folders)
    try:
        started = instance.start(os.environ, free_ports((0, 0, 0)))
        watch_over(folders.home, os.getpid())
        instance.wait(started, limit_s=300)
        yield Running(instance.api(started), root)
    finally:
        instance.stop()
