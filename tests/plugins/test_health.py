"""The health page: what is looked at, what makes it unhealthy, and that looking costs and leaves nothing."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, update
from workbench import NOW

import bulk_export
from bulk_export.state.tables import runs
from bulk_export_console.health import HealthChecks
from servers import SECRETS, S3Server

if TYPE_CHECKING:
    from conftest import Console

ALL = ["state", "definitions", "contact_store", "storage archive", "storage staging", "runs", "quota", "maintenance"]
SECRET = "hunter2"


@pytest.fixture(autouse=True)
def maintained(console: Console) -> None:
    console.last_maintenance_success = NOW - timedelta(minutes=4)


def asked(console: Console, status: int) -> dict[str, Any]:
    """What a probe reads, by check and place."""
    answer = console.client("vera").get("/health", headers={"Accept": "application/json"})
    assert answer.status_code == status, answer.text
    health = answer.json()
    assert health["healthy"] == (status == 200)
    return {f"{one['check']} {one['name']}".strip(): one for one in health["checks"]}


def test_everything_is_healthy_on_an_installation_that_works(console: Console) -> None:
    checks = asked(console, 200)
    assert list(checks) == ALL
    assert [one["code"] + one["message"] for one in checks.values()] == [""] * len(ALL)
    assert (checks["definitions"]["loaded"], checks["definitions"]["broken"]) == (2, 0)
    assert (checks["quota"]["used"], checks["quota"]["held"], checks["quota"]["limit"]) == (0, 0, 40_000)
    assert checks["maintenance"]["last"] == "2026-11-23T07:56:00Z"
    answer = console.client().get("/health", headers={"Accept": "application/json"})
    assert answer.json()["version"] == bulk_export.__version__


def test_people_read_the_same_as_a_page_in_their_language(console: Console) -> None:
    (console.bench.definitions / "exports/torn.yaml").write_text("name: [")
    answer = console.client().get("/health", headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert "exports/torn.yaml" in answer.text
    assert "2 load, 1 do not" in answer.text
    assert answer.text.count("tone-success") == len(ALL) - 1
    spanish = console.client().get("/health?language=es", headers={"Accept": "text/html"}).text
    assert "2 se cargan, 1 no" in spanish
    assert '/health"' in console.client().get("/audit", headers={"Accept": "text/html"}).text


def test_each_thing_that_is_wrong_is_reported_beside_what_is_healthy(console: Console) -> None:
    bench = console.bench
    bench.run(bench.export("nightly"))
    (bench.root / "store/contacts/contacts.parquet").write_bytes(b"not parquet")
    (bench.root / "full").write_text("a file where a directory should be")
    bench.write_settings(storage_locations={"archive": {"type": "local", "path": "../full/exports"}})
    engine = bench.site().engine
    long_ago = NOW - timedelta(days=2)
    with engine.begin() as connection:
        row = dict(connection.execute(runs.select()).mappings().one())
        lost = {"run_id": "cli/lost", "run_key": "f" * 10, "status": "RUNNING", "queued_at": long_ago}
        connection.execute(insert(runs).values(row | lost))
    console.last_maintenance_success = NOW - timedelta(hours=2)
    checks = asked(console, 503)
    unhealthy = {name: one["code"] for name, one in checks.items() if not one["healthy"]}
    assert set(unhealthy) == {"contact_store", "storage archive", "runs", "maintenance"}
    assert (unhealthy["contact_store"], unhealthy["runs"], unhealthy["maintenance"]) == (
        "STORE_INVALID",
        "RUN_HANGS",
        "MAINTENANCE_OVERDUE",
    )
    assert (checks["runs"]["open"], checks["runs"]["long_open"], checks["runs"]["oldest_run"]) == (1, 1, "f" * 10)

    with engine.begin() as connection:
        connection.execute(update(runs).where(runs.c.run_id == "cli/lost").values(queued_at=NOW))
    console.last_maintenance_success, console.seconds = None, 60.0
    checks = asked(console, 503)
    assert (checks["runs"]["healthy"], checks["runs"]["open"], checks["maintenance"]["code"]) == (
        True,
        1,
        "MAINTENANCE_MISSING",
    )


def test_settings_that_do_not_load_leave_a_page_that_says_so(console: Console) -> None:
    (console.bench.definitions / "settings.yaml").write_text("environment: [")
    checks = asked(console, 503)
    assert checks["definitions"]["message"] == "these do not load: settings.yaml"
    answer = console.client().get("/health", headers={"Accept": "text/html"})
    assert (answer.status_code, "settings.yaml" in answer.text) == (503, True)


def test_no_secret_is_shown_whatever_is_wrong(console: Console) -> None:
    console.bench.write_settings(state={"url": f"postgresql://exporter:{SECRET}@127.0.0.1:1/state"})
    answer = console.client().get("/health", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["checks"][0]["code"]) == (503, "STATE_UNREACHABLE")
    assert SECRET not in answer.text


def test_a_probe_costs_nothing_within_a_minute_and_nothing_is_left_behind(console: Console) -> None:
    root = console.bench.root
    assert asked(console, 200)["definitions"]["loaded"] == 2
    before = {path for path in root.rglob("*") if path.is_file()}
    (console.bench.definitions / "exports/torn.yaml").write_text("name: [")
    console.seconds = 59.0
    assert asked(console, 200)["definitions"]["loaded"] == 2
    console.seconds = 60.0
    assert asked(console, 503)["definitions"]["broken"] == 1
    (console.bench.definitions / "exports/torn.yaml").unlink()
    assert {path for path in root.rglob("*") if path.is_file()} == before


def test_what_hangs_is_reported_in_time_and_not_started_twice(console: Console) -> None:
    goes_on, started = threading.Event(), []

    def never() -> datetime:
        started.append("asked")
        goes_on.wait(60)
        return datetime.now(UTC)

    checks = HealthChecks(cached_s=0.0, within_s=1.0)
    site = console.bench.site()
    try:
        for _ in range(2):
            last = checks.now(site, never).findings[-1]
            assert (last.check, last.code) == ("maintenance", "NO_ANSWER")
        assert started == ["asked"]
    finally:
        goes_on.set()


def test_a_bucket_is_written_to_only_where_that_can_be_undone(
    console: Console, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = {"type": "s3", "bucket": "exports", "prefix": f"health-{id(console)}", "region": "us-east-1"}
    console.bench.write_settings(storage_locations={"archive": place})
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)

    def found(who: str) -> dict[str, Any]:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", who)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS[who])
        console.seconds += 60.0
        answer = console.client().get("/health", headers={"Accept": "application/json"})
        return next(one for one in answer.json()["checks"] if one["name"] == "archive")

    for who in ("owner", "dropper"):
        assert (found(who)["code"], "unwritten" in found(who)) == ("", False)
    assert (found("reader")["code"], found("reader")["unwritten"]) == ("", 1)  # may not delete
    monkeypatch.setitem(SECRETS, "reader", "another")
    assert found("reader")["code"] == "STORAGE_DENIED"
    assert "Contents" not in s3_server.client().list_objects_v2(Bucket="exports", Prefix=place["prefix"])
