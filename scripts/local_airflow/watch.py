"""Follow a run: Airflow's task states and the run record's progress."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_airflow.api import AirflowApi

RUN_LIMIT_S = 900.0
ENDED = ("success", "failed")


class Watch:
    """Tells each change of a run once, as a line."""

    def __init__(self, api: AirflowApi, definitions: Path, say: Callable[[str], None]) -> None:
        self._api = api
        self._definitions = definitions
        self._say = say
        self._told: dict[str, str] = {}

    def follow(self, dag_id: str, run_id: str, limit_s: float = RUN_LIMIT_S) -> str:
        """Watch until the run has ended; returns its state in Airflow.

        Raises:
            RuntimeError: it has not ended after `limit_s` seconds.
        """
        deadline = time.monotonic() + limit_s
        while True:
            state = str(self._api.run(dag_id, run_id)["state"])
            self._tasks(self._api.task_instances(dag_id, run_id))
            self._progress(f"{dag_id}/{run_id}")
            if state in ENDED:
                return state
            if time.monotonic() > deadline:
                raise RuntimeError(f"the run {run_id} of {dag_id} is still {state} after {limit_s:.0f} s")
            time.sleep(0.3)

    def _tasks(self, instances: list[Mapping[str, Any]]) -> None:
        for task_id in dict.fromkeys(task["task_id"] for task in instances):
            tasks = [task for task in instances if task["task_id"] == task_id]
            states = Counter(task["state"] or "waiting" for task in tasks)
            words = ", ".join(f"{n} {state}" if len(tasks) > 1 else state for state, n in sorted(states.items()))
            longest = max((task["duration"] or 0.0 for task in tasks), default=0.0)
            ended = all(task["state"] in {"success", "failed", "skipped", "upstream_failed"} for task in tasks)
            if words != "waiting":
                self._tell(task_id, f"{words}  {longest:.1f} s" if ended and longest else words)

    def _progress(self, run_id: str) -> None:
        from bulk_export.site import Site
        from bulk_export.state.progress import stage_progress

        # The first stage has yet to make the state database.
        with suppress(Exception):
            site = Site(definitions=self._definitions, clock=lambda: datetime.now(UTC))
            for stage in stage_progress(site.engine, [run_id])[run_id]:
                self._tell(f"  {stage.stage}", f"{stage.done} of {stage.total} contacts")

    def _tell(self, what: str, words: str) -> None:
        if self._told.get(what) != words:
            self._told[what] = words
            self._say(f"  {what:<22}{words}")
