"""`make demo`: run one saved export through a local Airflow's scheduler.

Airflow stays up afterwards; a second demo uses it again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from local_airflow.api import AirflowApi, ApiError
from local_airflow.instance import USER, LocalAirflow, Running, project_folders
from local_airflow.watch import Watch

PROJECT = Path(__file__).resolve().parents[1]
STORE = PROJECT / "var" / "store"
DAG_ID = "export-weekly-detractors"
CONTACTS, SEED = 300, 7
# The saved search takes the last seven days, so a store made long ago would have nothing to export.
STORE_MAX_AGE_S = 24 * 3600.0
DAG_LIMIT_S = 180.0


def main() -> int:
    """The whole demo; returns the exit code."""
    started = time.monotonic()
    try:
        make_store()
        airflow = LocalAirflow(project_folders(PROJECT))
        running = start(airflow)
        api = airflow.api(running)
        wait_for_dag(api)
        run_id = api.trigger(DAG_ID)
        say(f"Triggered {DAG_ID}: {running.url}/dags/{DAG_ID}/runs/{run_id}")
        state = Watch(api, PROJECT / "include" / "definitions", say).follow(DAG_ID, run_id)
    except (RuntimeError, ApiError, OSError) as error:
        say(f"The demo failed: {error}")
        return 1
    except KeyboardInterrupt:
        say("Interrupted. What was started goes on; `make stop` ends it, `make demo` takes it up again.")
        return 1
    summary(airflow, running, run_id)
    say(f"The demo took {time.monotonic() - started:.0f} s.")
    return 0 if state == "success" else 1


def make_store() -> None:
    """Make sample contacts up to now; leave other people's stores alone."""
    made = STORE / "sample-store.json"
    if made.exists() and time.time() - made.stat().st_mtime > STORE_MAX_AGE_S:
        shutil.rmtree(STORE)
    if not STORE.exists():
        say(f"Making a store of {CONTACTS} contacts in {STORE.relative_to(PROJECT)} ...")
        bulk_export("sample-store", str(STORE), "--contacts", str(CONTACTS), "--seed", str(SEED))


def start(airflow: LocalAirflow) -> Running:
    """The running Airflow, started where none works."""
    running = airflow.found()
    if running is not None and airflow.works(running):
        say(f"Airflow is running at {running.url}.")
        return running
    running = airflow.start(os.environ)
    say(f"Starting Airflow at {running.url} (log: {airflow.log.relative_to(PROJECT)}) ...")
    begun = time.monotonic()
    airflow.wait(running)
    say(f"Airflow works after {time.monotonic() - begun:.0f} s.")
    return running


def wait_for_dag(api: AirflowApi) -> None:
    """Wait for the saved export's DAG, and unpause it.

    Raises:
        RuntimeError: it is not; says what Airflow says about the DAG files.
    """
    deadline = time.monotonic() + DAG_LIMIT_S
    while True:
        try:
            if api.request("GET", f"/dags/{DAG_ID}")["is_paused"]:
                api.request("PATCH", f"/dags/{DAG_ID}", {"is_paused": False})
            return
        except ApiError as error:
            if time.monotonic() > deadline:
                raise RuntimeError(f"the DAG {DAG_ID} is not up after {DAG_LIMIT_S:.0f} s ({error})") from None
        errors = api.request("GET", "/importErrors")["import_errors"]
        if any("saved_exports" in found["filename"] for found in errors):
            raise RuntimeError(errors[0]["stack_trace"])
        time.sleep(0.5)


def summary(airflow: LocalAirflow, running: Running, run_id: str) -> None:
    """What the audit says, and where to look next."""
    say("")
    bulk_export("audit", "show", f"{DAG_ID}/{run_id}")
    say("")
    delivered = newest_directory(PROJECT / "var" / "exports")
    if delivered is not None:
        say(f"Delivered  {delivered.relative_to(PROJECT)}")
    say(f"Airflow    {running.url}")
    say(f"Login      {USER} / {airflow.password}")
    say("`make stop` ends it.")


def newest_directory(location: Path) -> Path | None:
    """The run delivered last: its tag manifest is written last of all."""
    finished = sorted(location.glob("*/*/tagmanifest-sha256.txt"), key=lambda path: path.stat().st_mtime)
    return finished[-1].parent if finished else None


def bulk_export(*arguments: str) -> None:
    """Run the command line tool.

    Raises:
        RuntimeError: it failed; it has said why.
    """
    program = Path(sys.executable).with_name("bulk-export")
    if subprocess.run([program, *arguments], check=False, cwd=PROJECT).returncode:
        raise RuntimeError(f"bulk-export {arguments[0]} failed")


def say(line: str) -> None:
    """Tell whoever is watching, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
