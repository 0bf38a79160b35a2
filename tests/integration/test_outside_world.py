"""What others see of an export: other DAGs, mailboxes, receivers of webhooks, and Airflow's refresh and backfill."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from local_airflow.config import free_ports
from receivers import MailServer, mail_server, web_server

if TYPE_CHECKING:
    from receivers import WebServer
    from running_airflow import Done, Running

SECRET = "shared with the receiver"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
# Search, and what its run comes to.
TOLD = [("none", "COMPLETED_EMPTY", None), ("incomplete", "FAILED", "FILTER_INCOMPLETE")]


@pytest.fixture(scope="module")
def webs() -> Iterator[dict[str, WebServer]]:
    """A receiver of webhooks for each search, which refuses the first."""
    with ExitStack() as stack:
        yield {search: stack.enter_context(web_server(503)) for search, _, _ in TOLD}


@pytest.fixture(scope="module")
def mail(airflow: Running) -> Iterator[MailServer]:
    """A mail server, and the Airflow connections to it and to the secret of the webhooks."""
    port = free_ports((0, 0, 0)).api
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"}
    smtp = {"connection_id": "smtp_default", "conn_type": "smtp", "host": "127.0.0.1", "port": port}
    secret = {"connection_id": "webhook_secret", "conn_type": "generic", "password": SECRET}
    for connection in (smtp | {"extra": json.dumps(extra)}, secret):
        airflow.api.request("POST", "/connections", connection)
    try:
        with mail_server(port) as server:
            yield server
    finally:
        for connection_id in ("smtp_default", "webhook_secret"):
            airflow.api.request("DELETE", f"/connections/{connection_id}")


@pytest.fixture(scope="module", autouse=True)
def begun(airflow: Running, webs: dict[str, WebServer], mail: MailServer) -> dict[str, str]:
    """Runs that have nothing to do with each other, all under way at once: run by DAG."""
    (airflow.definitions / "searches/yesterday.yaml").write_text(
        "name: Yesterday\nfilters:\n  - {field: started_at, operator: yesterday}\n"
    )
    removed = airflow.export("removed", search="none")
    daily = airflow.export("daily", search="yesterday", schedule={"cron": "0 6 * * *", "time_zone": "UTC"})
    told = []
    for search, web in webs.items():
        notify = {"webhook": web.url, "webhook_secret_connection": "webhook_secret"}
        told.append(
            airflow.export(f"told-{search}", search=search, notify=notify | {"email": [f"{search}@example.com"]})
        )
    airflow.up("export-calls", "consumer", removed, daily, *told)
    airflow.metrics.received.clear()
    span = {"from_date": (TODAY - timedelta(days=3)).isoformat(), "to_date": (TODAY - timedelta(days=1)).isoformat()}
    airflow.api.request("POST", "/backfills", {"dag_id": daily, "max_active_runs": 1} | span)
    return {dag_id: airflow.api.trigger(dag_id) for dag_id in (removed, "export-calls", *told)}


@pytest.fixture(scope="module", autouse=True)
def removed(airflow: Running, begun: dict[str, str]) -> Done:
    """A run of an export whose file was deleted afterwards, long before somebody looks."""
    done = airflow.follow("export-removed", begun["export-removed"])
    (airflow.definitions / "exports/removed.yaml").unlink()
    return done


@pytest.fixture(scope="module")
def delivery(airflow: Running, begun: dict[str, str]) -> Done:
    """A run that delivers."""
    return airflow.follow("export-calls", begun["export-calls"])


def test_a_delivery_is_an_asset_event_that_starts_the_dags_that_wait_for_it(airflow: Running, delivery: Done) -> None:
    done, record = delivery, delivery.record
    events = airflow.api.request("GET", f"/assets/events?source_dag_id={done.dag_id}&limit=100")["asset_events"]
    [extra] = [event["extra"] for event in events if event["source_run_id"] == done.run_id]
    assert extra["directory"] == f"{record.destination_uri}/{record.directory}"
    assert (extra["run_id"], extra["manifest_sha256"]) == (record.run_id, record.manifest_sha256)
    assert (extra["matched"], extra["exported"]) == (record.matched, record.exported)
    airflow.until("the consumer has read it", lambda: extra["directory"] in consumed(airflow))


def consumed(airflow: Running) -> list[str]:
    """The directories that the DAG downstream was told of."""
    values: list[str] = []
    for run in airflow.runs_of("consumer"):
        if run["state"] == "success":
            task = f"/dags/consumer/dagRuns/{run['dag_run_id']}/taskInstances/read/xcomEntries/return_value"
            values += airflow.api.request("GET", f"{task}?deserialize=true")["value"]
    return values


def test_what_a_run_came_to_is_in_airflows_metrics_and_its_id_in_every_line_of_its_log(
    airflow: Running, delivery: Done
) -> None:
    done, record = delivery, delivery.record
    expected = {
        f"airflow.bulk_export.{name}:{count}|c"
        for name, count in {
            "runs": 1,
            f"runs.{str(record.status).lower()}": 1,
            "contacts": record.exported,
            "files": record.media_files + record.transcript_files,
            "bytes": record.media_bytes + record.transcript_bytes,
        }.items()
    } | {f"airflow.bulk_export.quota_used:{record.quota_after}|g"}
    airflow.until("they have arrived", lambda: expected <= set(airflow.metrics.received), limit_s=60)
    assert any(metric.startswith("airflow.bulk_export.queue_time:") for metric in airflow.metrics.received)

    [log] = (airflow.root / "airflow/logs").glob(f"dag_id={done.dag_id}/run_id={done.run_id}/task_id=build_csv/*.log")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["export_run"] for line in lines if "export_run" in line} == {record.run_id}


@pytest.mark.parametrize(("search", "status", "code"), TOLD)
def test_how_a_run_ended_is_told_by_a_signed_webhook_tried_again_and_by_one_mail(
    airflow: Running,
    begun: dict[str, str],
    webs: dict[str, WebServer],
    mail: MailServer,
    search: str,
    status: str,
    code: str | None,
) -> None:
    dag_id, web = f"export-told-{search}", webs[search]
    done = airflow.follow(dag_id, begun[dag_id])
    airflow.until("notify has ended", lambda: airflow.tasks(dag_id, done.run_id, "notify", "success", "failed"))

    [task] = airflow.tasks(dag_id, done.run_id, "notify", "success")
    assert task["try_number"] == 2
    assert [headers["webhook-id"] for headers, _ in web.received] == [web.received[0][0]["webhook-id"]] * 2
    headers, body = web.received[-1]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(SECRET.encode(), signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    told = json.loads(body)["data"]
    assert (told["run_id"], told["status"], told["error_code"]) == (done.record.run_id, status, code)

    [message] = [message for message in mail.received if message["to"] == f"{search}@example.com"]
    assert message["from"] == "airflow@example.com"
    assert message["subject"] == f"Bulk contact export: told-{search}: {status.replace('_', ' ').lower()}"
    assert done.record.dag_run_url in "".join(part.get_content() for part in message.iter_parts())


def test_a_backfill_exports_what_each_past_day_would_have_exported(airflow: Running) -> None:
    dag_id = "export-daily"
    ran = [airflow.follow(dag_id, run["dag_run_id"]) for run in backfilled(airflow, dag_id)]

    contacts = pq.read_table(airflow.root / "store/contacts", columns=["contact_id", "started_at", "is_root"])
    ticks = [TODAY - timedelta(days=days) + timedelta(hours=6) for days in (3, 2)]
    assert sorted(done.record.as_of for done in ran) == ticks
    for done in ran:
        assert (done.state, done.record.trigger) == ("success", "backfill")
        until = done.record.as_of - timedelta(hours=6)
        assert delivered(done) == {
            row["contact_id"]
            for row in contacts.to_pylist()
            if not row["is_root"] and until - timedelta(days=1) <= row["started_at"] < until
        }
    assert any(delivered(done) for done in ran)


def backfilled(airflow: Running, dag_id: str) -> list[dict[str, Any]]:
    return [run for run in airflow.runs_of(dag_id) if run["run_type"] == "backfill"]


def delivered(done: Done) -> set[int]:
    return set(pacsv.read_csv(done.directory / "data/items.csv")["contact_id"].to_pylist())


def test_storage_that_is_down_for_a_moment_delays_a_run_and_fails_none(airflow: Running) -> None:
    place, aside = airflow.root / "flaky", airflow.root / "flaky-aside"
    locations = {"flaky": {"type": "local", "path": "../flaky"}}
    with airflow.settings(storage_locations=locations):
        dag_id = airflow.export("flaky", search="recent", storage_location="flaky")
        airflow.up(dag_id)
        run_id = airflow.api.trigger(dag_id)
        airflow.until("the places are checked", lambda: airflow.tasks(dag_id, run_id, "validate_filters", "success"))
        with airflow.nobody_writes_the_audit():
            place.rename(aside)
            place.symlink_to(place)  # a directory that cannot be reached; one that is missing is no passing trouble
        retried = airflow.until("a task waits", lambda: airflow.tasks(dag_id, run_id, "check_quota", "up_for_retry"))
        error = airflow.record(dag_id, run_id).error_code
        place.unlink()
        aside.rename(place)
        done = airflow.follow(dag_id, run_id)
    assert retried[0]["try_number"] >= 1
    assert error == "STORAGE_UNREACHABLE"
    assert (done.state, done.record.status, done.record.error_code) == ("success", "COMPLETED", "")


def test_a_deleted_export_disappears_and_its_runs_stay_in_the_audit(airflow: Running, removed: Done) -> None:
    airflow.refresh()
    airflow.until("the DAG is gone", lambda: removed.dag_id not in airflow.api.dag_ids(), limit_s=300)
    assert removed.record.status == "COMPLETED_EMPTY"
    assert removed.directory.is_dir()
