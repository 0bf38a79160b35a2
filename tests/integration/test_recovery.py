"""Processes killed, runs stopped from outside, Airflow gone and back: what was begun is finished or closed."""

from __future__ import annotations

import os
import shutil
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pyarrow.parquet as pq
import pytest

from bulk_export.bag.verify import verify_run
from bulk_export.state.records import run_key
from bulk_export.state.reservations import usage
from bulk_export.state.runs import list_runs
from bulk_export.storage.local import LocalStorage
from local_airflow import processes
from receivers import web_server

if TYPE_CHECKING:
    from running_airflow import Done, Running

pytestmark = pytest.mark.kills_airflow

# Stages that run at the same time, in the order of the pipeline.
STEPS = (
    ("validate_filters",),
    ("check_quota",),
    ("batch_contacts",),
    ("copy_media", "export_transcripts", "build_csv"),
    ("publish_manifest",),
    ("write_audit",),
)
MEDIA = {"audio_only": "mp3"}


def killable(airflow: Running, name: str) -> str:
    """An export of calls in one job, whose audio is converted."""
    dag_id = airflow.export(name, search="recent", media=MEDIA, transcripts="xml")
    airflow.up(dag_id)
    return dag_id


def at_work(airflow: Running, dag_id: str, run_id: str, task_id: str) -> int | None:
    """The process of a task that has come so far that it wants to write to the audit, or None."""
    for task in airflow.tasks(dag_id, run_id, task_id, "running"):
        with suppress(psutil.Error):
            opened = {file.path for file in psutil.Process(task["pid"]).open_files()} if task["pid"] else set()
            if str(airflow.root / "state.db") in opened:
                return int(task["pid"])
    return None


def kill(airflow: Running, dag_id: str, run_id: str, task_id: str) -> None:
    """Kill the process of a task in the middle of its work; nobody may write the audit meanwhile."""
    pid = airflow.until(f"{task_id} is at work", lambda: at_work(airflow, dag_id, run_id, task_id))
    os.kill(pid, signal.SIGKILL)
    airflow.until(f"{task_id} is known to be dead", lambda: not airflow.tasks(dag_id, run_id, task_id, "running"))


def files(done: Done) -> dict[str, bytes]:
    """What was delivered, without what names the run."""
    every = (path for path in (done.directory / "data").rglob("*") if path.is_file() and path.name != "export.yaml")
    return {path.relative_to(done.directory).as_posix(): path.read_bytes() for path in every}


def assert_whole(airflow: Running, done: Done, undisturbed: Done) -> None:
    """The run converged: nothing is missing, nothing is left over, and every count is that of a run in peace."""
    assert done.state == "success"
    assert files(done) == files(undisturbed)
    assert verify_run(LocalStorage(done.directory)).faults == ()
    record, expected = done.record, undisturbed.record
    assert (record.status, record.error_code) == (expected.status, "")
    for name in (
        "matched",
        "granted",
        "exported",
        "quota_used",
        "by_status",
        "by_reason",
        "media_files",
        "media_bytes",
    ):
        assert getattr(record, name) == getattr(expected, name), name
    assert [path for path in (airflow.root / "staging" / run_key(record.run_id)).rglob("*") if path.is_file()] == []
    assert [path for path in airflow.root.rglob(".part-*") if path.is_file()] == []


PLACES: dict[str, Any] = {
    "licence": {"type": "performance"},
    "contact_store": {"type": "parquet", "uri": "../lossy-store"},
}


@pytest.fixture(scope="module")
def undisturbed(airflow: Running) -> Done:
    """A run in peace: one contact lacks its audio, so that not all that was reserved is charged."""
    store = shutil.copytree(airflow.root / "store", airflow.root / "lossy-store")
    contacts = pq.read_table(store / "contacts").sort_by([("started_at", "descending")]).to_pylist()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    calls = (one for one in contacts if one["contact_type"] == "CALL" and one["started_at"] < yesterday)
    lost = next(call for call in calls if call["audio_uri"] and not call["is_root"] and not call["recycled"])
    (store / lost["audio_uri"]).unlink()
    with airflow.settings(**PLACES):
        done = airflow.run(killable(airflow, "in-peace"))
    assert done.record.by_status["faulty"] == done.record.by_reason["MEDIA_MISSING"] == 1
    assert done.record.quota_used == (done.record.granted or 0) - 1
    return done


def test_a_run_whose_process_is_killed_in_the_middle_of_every_stage_ends_like_one_in_peace(
    airflow: Running, undisturbed: Done
) -> None:
    with airflow.settings(**PLACES):
        dag_id = killable(airflow, "killed")
        with airflow.nobody_writes_the_audit():
            run_id = airflow.api.trigger(dag_id)
            kill(airflow, dag_id, run_id, "validate_filters")
        for before, step in pairwise(STEPS):
            wait_for(airflow, dag_id, run_id, *before)
            with airflow.nobody_writes_the_audit():
                for stage in step:
                    kill(airflow, dag_id, run_id, stage)
        done = airflow.follow(dag_id, run_id)
    tries = {task: {one["try_number"] for one in ones} for task, ones in done.tasks.items()}
    assert tries == {stage: {2} for step in STEPS for stage in step}
    assert_whole(airflow, done, undisturbed)


def wait_for(airflow: Running, dag_id: str, run_id: str, *stages: str) -> None:
    """Wait until stages have gone well."""
    airflow.until(
        f"{stages} have ended", lambda: all(airflow.tasks(dag_id, run_id, stage, "success") for stage in stages)
    )


def test_a_run_survives_the_death_of_the_scheduler_and_then_of_everything(airflow: Running, undisturbed: Done) -> None:
    with airflow.settings(**PLACES):
        dag_id = killable(airflow, "survivor")
        running = airflow.instance.found()
        assert running is not None
        environment = psutil.Process(running.leader.pid).environ()
        run_id = airflow.api.trigger(dag_id)
        wait_for(airflow, dag_id, run_id, "batch_contacts")
        with airflow.nobody_writes_the_audit():
            airflow.until("media are copied", lambda: at_work(airflow, dag_id, run_id, "copy_media"))
            airflow.scheduler().kill()
        command = [str(Path(environment["PATH"].split(os.pathsep)[0]) / "airflow"), "scheduler"]
        log = airflow.instance.log.with_name("scheduler.log")
        second = processes.start(command, environment, log, running.leader.mark_name)
        try:
            # All that publishing waits for: inside, none of them could end.
            wait_for(airflow, dag_id, run_id, "copy_media", "export_transcripts", "build_csv")
            with airflow.nobody_writes_the_audit():
                airflow.until("the run is published", lambda: at_work(airflow, dag_id, run_id, "publish_manifest"))
                for leader in (second, running.leader):
                    for process in processes.members(leader):
                        with suppress(psutil.Error):
                            process.kill()

        finally:
            processes.end(second)
            airflow.start()
        done = airflow.follow(dag_id, run_id)
    assert_whole(airflow, done, undisturbed)


def test_a_run_that_ended_without_a_word_is_closed_by_maintenance_and_gives_its_quota_back(airflow: Running) -> None:
    """By its time limit, which skips teardowns too; known to Airflow still, or deleted there meanwhile."""
    known, deleted = (killable(airflow, name) for name in ("abandoned-known", "abandoned-deleted"))
    runs = {dag_id: airflow.api.trigger(dag_id) for dag_id in (known, deleted)}
    for dag_id, run_id in runs.items():
        wait_for(airflow, dag_id, run_id, "check_quota")
    with airflow.nobody_writes_the_audit():
        pids = [
            airflow.until("a stage is at work", lambda run=run: at_work(airflow, *run, "batch_contacts"))
            for run in runs.items()
        ]
        for dag_id, run_id in runs.items():
            eight_days_ago = (
                "UPDATE dag_run SET start_date = start_date - interval '8 days' WHERE dag_id = %s AND run_id = %s"
            )
            airflow.airflow_database(eight_days_ago, dag_id, run_id)
        for run, pid in zip(runs.items(), pids, strict=True):
            airflow.until("Airflow ends the run", lambda run=run: airflow.api.run(*run)["state"] == "failed")
            airflow.until("Airflow ends the task", lambda pid=pid: not psutil.pid_exists(pid))
    airflow.api.request("DELETE", f"/dags/{deleted}/dagRuns/{runs[deleted]}")
    records = [airflow.record(*run) for run in runs.items()]
    for record in records:
        assert (record.status, record.quota_used) == ("RUNNING", record.granted)
    [day] = {record.quota_day for record in records}
    assert day is not None
    before = usage(airflow.site.engine, "test", day).used

    assert airflow.run("bulk_export_maintenance").state == "success"

    for run in runs.items():
        record = airflow.record(*run)
        assert (record.status, record.error_code, record.quota_used) == ("FAILED", "INTERRUPTED", 0)
    assert usage(airflow.site.engine, "test", day).used == before - sum(record.granted or 0 for record in records)


def test_a_follow_up_that_a_run_could_not_queue_any_more_is_queued_by_maintenance(airflow: Running) -> None:
    few: dict[str, Any] = {"type": "standard", "daily_contacts": 3}
    with airflow.settings(licence=few, environment={"name": "lost", "time_zone": "UTC"}):
        dag_id = killable(airflow, "lost-follow-up")
        run_id = airflow.api.trigger(dag_id)
        wait_for(airflow, dag_id, run_id, "publish_manifest")
        with airflow.nobody_writes_the_audit():
            pid = airflow.until("the audit is written", lambda: at_work(airflow, dag_id, run_id, "write_audit"))
            eight_days_ago = "UPDATE dag_run SET start_date = start_date - interval '8 days' WHERE run_id = %s"
            airflow.airflow_database(eight_days_ago, run_id)
            airflow.until("Airflow ends the task", lambda: not psutil.pid_exists(pid))
        assert airflow.record(dag_id, run_id).status == "RUNNING"

        maintenance = airflow.run("bulk_export_maintenance")

    assert (maintenance.state, maintenance.states()["queue_follow_up_run"]) == ("success", {"success"})
    record = airflow.record(dag_id, run_id)
    assert (record.status, record.exported, record.quota_used) == ("CONTINUED", 3, 3)
    [follow_up] = [run for run in airflow.runs_of(dag_id) if run["state"] == "queued"]
    assert record.follow_up_run_id == f"{dag_id}/{follow_up['dag_run_id']}"


def test_a_lost_run_that_cannot_be_closed_or_told_of_keeps_no_other_from_being_followed_up(airflow: Running) -> None:
    few: dict[str, Any] = {"type": "standard", "daily_contacts": 3}
    with (
        airflow.settings(licence=few, environment={"name": "troubled", "time_zone": "UTC"}),
        web_server(*[404] * 9) as web,
    ):
        dag_ids = [airflow.export(f"told-{number}", search="recent", notify={"webhook": web.url}) for number in (1, 2)]
        torn = airflow.export("torn", search="none")
        airflow.up(*dag_ids, torn)
        # Each environment's day has three contacts: the second of these two runs exports none, and is continued too.
        lost = [airflow.run(dag_id) for dag_id in dag_ids]
        broken = airflow.run(torn)
        told_before = len(web.received)
        for done in lost:
            follow_up = airflow.until("it waits", lambda done=done: waits(airflow, done))
            lose(airflow, done, follow_up["dag_run_id"])
        airflow.state_database(
            "UPDATE runs SET status = 'RUNNING', dag_run_id = 'gone', definitions = 'torn' WHERE run_id = ?",
            broken.record.run_id,
        )
        try:
            maintenance = airflow.run("bulk_export_maintenance")
            assert maintenance.state == "failed"
            assert broken.record.status == "RUNNING"
            assert len(web.received) >= told_before + 2
            for done in lost:
                assert done.record.status == "CONTINUED"
                assert done.record.follow_up_run_id == f"{done.dag_id}/{waits(airflow, done)['dag_run_id']}"
        finally:
            airflow.state_database("UPDATE runs SET status = 'COMPLETED' WHERE run_id = ?", broken.record.run_id)


def waits(airflow: Running, done: Done) -> dict[str, Any]:
    """The follow-up run, once it is queued."""
    return next((run for run in airflow.runs_of(done.dag_id) if run["state"] == "queued"), {})


def lose(airflow: Running, done: Done, follow_up: str) -> None:
    """Leave a run as if Airflow had ended it after publishing, before its audit was written."""
    run_id = f"{done.dag_id}/{follow_up}"
    airflow.until("the audit shows it", lambda: listed(airflow, run_id))
    airflow.state_database("DELETE FROM runs WHERE run_id = ?", run_id)
    airflow.state_database(
        "UPDATE runs SET status = 'RUNNING', follow_up_run_id = '', dag_run_id = 'gone' WHERE run_id = ?",
        done.record.run_id,
    )
    airflow.api.request("DELETE", f"/dags/{done.dag_id}/dagRuns/{follow_up}")


def listed(airflow: Running, run_id: str) -> bool:
    return any(record.run_id == run_id for record in list_runs(airflow.site.engine))
