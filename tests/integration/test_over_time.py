"""What happens from one day to the next: quota, follow-up runs, time limits, and runs that nobody closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import bagit
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from bulk_export.state.records import RunRecord, RunStatus
from bulk_export.state.reservations import usage
from bulk_export.state.runs import RunFilters, list_runs
from bulk_export_sample import make_sample_store

if TYPE_CHECKING:
    from running_airflow import Done, Running

ZONE = "America/Bogota"
STANDARD = {"type": "standard"}


@pytest.fixture(scope="module")
def many(airflow: Running) -> set[int]:
    """A store of 2,500 contacts without files; the ids of those that an export of everything delivers."""
    store = airflow.root / "many"
    make_sample_store(store, contacts=2_500, seed=5, until=datetime.now(UTC), media=False)
    contacts = pq.read_table(store / "contacts", columns=["contact_id", "is_root"]).to_pylist()
    return {contact["contact_id"] for contact in contacts if not contact["is_root"]}


def environment(name: str) -> dict[str, str]:
    return {"name": name, "time_zone": ZONE}


def items(done: Done) -> dict[int, str]:
    """What items.csv says became of each contact."""
    table = pacsv.read_csv(done.directory / "data/items.csv")
    return dict(zip(table["contact_id"].to_pylist(), table["status"].to_pylist(), strict=True))


def delivered(done: Done) -> set[int]:
    return {contact for contact, status in items(done).items() if status in {"delivered", "masked"}}


def used(airflow: Running, done: Done) -> int:
    day = done.record.quota_day
    assert day is not None
    return usage(airflow.site.engine, airflow.site.settings.environment.name, day).used


def the_next_day(airflow: Running, name: str, dag_id: str) -> None:
    """What was charged was charged yesterday, and what was queued for tomorrow is due."""
    for table in ("reservations", "quota_days"):
        airflow.state_database(f"UPDATE {table} SET day = date(day, '-1 day') WHERE environment = ?", name)
    airflow.airflow_database("UPDATE dag_run SET run_after = now() WHERE state = 'queued' AND dag_id = %s", dag_id)


def queued(airflow: Running, dag_id: str) -> dict[str, Any]:
    [run] = [run for run in airflow.runs_of(dag_id) if run["state"] == "queued"]
    return run


def waiting_in_audit(airflow: Running, dag_id: str) -> RunRecord | None:
    found = list_runs(airflow.site.engine, RunFilters(statuses=frozenset({RunStatus.QUEUED})))
    return next((record for record in found if record.dag_id == dag_id), None)


def clear(airflow: Running, done: Done, task_id: str) -> Done:
    """Clear a task and all that follow it, as people do in Airflow's UI; wait until the run has ended again."""
    body = {"dry_run": False, "dag_run_id": done.run_id, "task_ids": [task_id], "include_downstream": True}
    airflow.api.request("POST", f"/dags/{done.dag_id}/clearTaskInstances", body | {"only_failed": False})
    return airflow.follow(done.dag_id, done.run_id)


def test_what_a_day_has_no_quota_for_goes_on_day_by_day_until_each_contact_is_delivered_once(
    airflow: Running, many: set[int]
) -> None:
    with airflow.settings(environment=environment("days"), licence=STANDARD, contact_store=store("many")):
        dag_id = airflow.export("over-days", search="everything")
        airflow.up(dag_id)
        days = [airflow.run(dag_id)]
        for _ in range(2):
            record = days[-1].record
            follow_up = queued(airflow, dag_id)
            assert record.follow_up_run_id == f"{dag_id}/{follow_up['dag_run_id']}"
            assert follow_up["conf"] == {"continues": record.run_id}
            assert record.quota_day is not None
            midnight = datetime.combine(record.quota_day + timedelta(days=1), datetime.min.time(), ZoneInfo(ZONE))
            assert datetime.fromisoformat(follow_up["run_after"]) == midnight
            waiting = airflow.until("the audit shows it", lambda: waiting_in_audit(airflow, dag_id))
            assert (waiting.run_id, waiting.queued_at) == (record.follow_up_run_id, midnight)
            assert waiting.continues_run_id == record.run_id
            # Told once more to queue it, Airflow finds it queued.
            days[-1] = clear(airflow, days[-1], "write_audit")
            assert days[-1].state == "success"
            assert queued(airflow, dag_id) == follow_up
            the_next_day(airflow, "days", dag_id)
            days.append(airflow.follow(dag_id, follow_up["dag_run_id"]))

        records = [day.record for day in days]
        assert [day.state for day in days] == ["success"] * 3
        assert [record.status for record in records] == ["CONTINUED", "CONTINUED", "COMPLETED"]
        assert [record.trigger for record in records] == ["manual", "continuation", "continuation"]
        assert [record.exported for record in records] == [1_000, 1_000, len(many) - 2_000]
        assert [record.continues_run_id for record in records] == ["", records[0].run_id, records[1].run_id]
        assert [record.follow_up_run_id for record in records] == [records[1].run_id, records[2].run_id, ""]
        assert sorted(contact for day in days for contact in delivered(day)) == sorted(many)
        for day in days:
            bagit.Bag(str(day.directory)).validate()
        assert len({day.directory for day in days}) == 3

        # Cleared and run again, the last one finds its directory finished and its quota charged.
        before = used(airflow, days[-1])
        again = clear(airflow, days[-1], "check_quota")
        assert (again.state, again.record.exported) == ("success", before)
        assert {task["try_number"] for task in again.tasks["check_quota"]} == {2}
        assert used(airflow, again) == before == len(many) - 2_000


def store(name: str) -> dict[str, str]:
    return {"type": "parquet", "uri": f"../{name}"}


def test_a_follow_up_that_waits_for_tomorrow_holds_up_no_schedule_and_an_edited_one_runs_no_tick_from_before_the_edit(
    airflow: Running, many: set[int]
) -> None:
    few = STANDARD | {"daily_contacts": 10}
    with airflow.settings(environment=environment("ticks"), licence=few, contact_store=store("many")):
        dag_id = airflow.export("edited", search="everything")
        airflow.up(dag_id)
        assert airflow.run(dag_id).record.status == "CONTINUED"

        now = datetime.now(UTC).replace(second=0, microsecond=0)
        passed = now - timedelta(minutes=3)
        schedule = {"cron": f"{passed.minute} {passed.hour} * * *", "time_zone": "UTC"}
        airflow.export("edited", search="everything", schedule=schedule, effective_from=now.isoformat())
        airflow.refresh()
        dag = airflow.until("the schedule is known", lambda: scheduled_dag(airflow, dag_id))
        assert datetime.fromisoformat(dag["next_dagrun_run_after"]) == passed + timedelta(days=1)
        assert len(airflow.runs_of(dag_id)) == 2  # the one by hand and its follow-up

        before = (passed - timedelta(minutes=1)).isoformat()
        airflow.export("edited", search="everything", schedule=schedule, effective_from=before)
        airflow.refresh()
        late = airflow.until("the tick runs late", lambda: scheduled_runs(airflow, dag_id))[0]
        assert datetime.fromisoformat(late["run_after"]) == passed
        assert airflow.follow(dag_id, late["dag_run_id"]).record.trigger == "schedule"


def scheduled_dag(airflow: Running, dag_id: str) -> dict[str, Any] | None:
    dag: dict[str, Any] = airflow.api.request("GET", f"/dags/{dag_id}")
    return dag if dag["next_dagrun_run_after"] else None


def scheduled_runs(airflow: Running, dag_id: str) -> list[dict[str, Any]]:
    return [run for run in airflow.runs_of(dag_id) if run["run_type"] == "scheduled" and run["start_date"]]


def test_eight_exports_that_race_for_the_last_hundred_of_the_day_get_exactly_a_hundred_together(
    airflow: Running, many: set[int]
) -> None:
    with airflow.settings(environment=environment("race"), licence=STANDARD, contact_store=store("many")):
        names = [f"racer-{number}" for number in range(8)]
        dag_ids = [airflow.export(name, search="everything", on_quota_exceeded="truncate") for name in names]
        airflow.up(*dag_ids)
        assert airflow.run(dag_ids[0], limit=900).record.exported == 900
        runs = [(dag_id, airflow.api.trigger(dag_id)) for dag_id in dag_ids]
        racers = [airflow.follow(*run) for run in runs]

        assert sum(racer.record.exported for racer in racers) == 100
        assert used(airflow, racers[0]) == 1_000
        for racer in racers:
            assert racer.record.status == "COMPLETED"
            assert racer.record.by_status.get("deferred", 0) == len(many) - racer.record.exported
            assert len(delivered(racer)) == racer.record.exported
