"""A whole installation to measure: definitions of one export, its contact store, and an Airflow of its own."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from compare import PROJECT

sys.path.insert(0, str(PROJECT / "scripts"))

UNLIMITED = 100_000_000
AS_STORED = {"audio_video": "original", "audio_only": "original"}
PROGRAM = Path(sys.executable).with_name("bulk-export")


def define(folder: Path, store: Path, exports: Path, *, media: Mapping[str, str], transcripts: str) -> Path:
    """Write the definitions of the export `everything`; returns their folder."""
    definitions = folder / "definitions"
    for kind in ("searches", "exports"):
        (definitions / kind).mkdir(parents=True)
    settings = {
        "environment": {"name": "bench", "time_zone": "UTC"},
        "licence": {"type": "performance", "daily_contacts": UNLIMITED},
        "contact_store": {"type": "parquet", "uri": str(store)},
        "storage_locations": {"archive": {"type": "local", "path": str(exports)}},
        "staging": {"type": "local", "path": str(folder / "staging")},
        "state": {"url": f"sqlite:///{folder / 'state.db'}"},
        "exportable_metadata": ["account-key", "service-key"],
    }
    every = {"field": "started_at", "operator": "after", "value": "2000-01-01"}
    export = {
        "name": "Everything",
        "search": "everything",
        "storage_location": "archive",
        "media": dict(media),
        "transcripts": transcripts,
    }
    # JSON is YAML.
    (definitions / "settings.yaml").write_text(json.dumps(settings))
    (definitions / "searches/everything.yaml").write_text(json.dumps({"name": "Everything", "filters": [every]}))
    (definitions / "exports/everything.yaml").write_text(json.dumps(export))
    return definitions


def run_command(definitions: Path) -> list[str | Path]:
    """The command line that runs the export."""
    return [PROGRAM, "--definitions", definitions, "run", "everything", "--json"]


@dataclass(frozen=True, slots=True)
class Tasks:
    """A run that the scheduler has ended.

    Attributes:
        seconds: from its being asked for to its end.
        count: its tasks.
        working_s: time their processes took, added up.
    """

    seconds: float
    count: int
    working_s: float


class Scheduler:
    """A running Airflow with the settings that `make demo` ships."""

    DAG = "export-everything"

    def __init__(self, definitions: Path) -> None:
        from local_airflow.config import Folders
        from local_airflow.instance import LocalAirflow

        home = definitions.parent / "airflow"
        self._definitions = definitions
        self.instance = LocalAirflow(Folders(home, PROJECT / "dags", PROJECT / "plugins", definitions))

    def start(self) -> None:
        import time

        from local_airflow.config import free_ports

        running = self.instance.start(os.environ, free_ports((0, 0, 0)))
        self.instance.wait(running)
        self._api = self.instance.api(running)
        while self.DAG not in self._api.dag_ids():
            time.sleep(0.5)

    def run(self) -> Tasks:
        """Run the export; Airflow's own clock tells how long it took."""
        import time
        from datetime import datetime

        run_id = self._api.trigger(self.DAG)
        while (run := self._api.run(self.DAG, run_id))["state"] not in {"success", "failed"}:
            time.sleep(0.5)
        if run["state"] != "success":
            raise RuntimeError(f"the run {run_id} failed")
        queued, ended = (datetime.fromisoformat(run[name]) for name in ("queued_at", "end_date"))
        tasks = self._api.task_instances(self.DAG, run_id)
        return Tasks((ended - queued).total_seconds(), len(tasks), sum(task["duration"] or 0 for task in tasks))


@contextmanager
def scheduler(definitions: Path) -> Iterator[Scheduler]:
    """An Airflow, ended at the end."""
    made = Scheduler(definitions)
    try:
        made.start()
        yield made
    finally:
        made.instance.stop()
