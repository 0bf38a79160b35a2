"""A follow-up run that waits for its day, on the pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from bulk_export.runs.follow_up import show_queued
from bulk_export.state.records import RunRecord
from bulk_export.state.runs import record_follow_up
from bulk_export.state.tables import runs

if TYPE_CHECKING:
    from conftest import Console

NEXT = "export-nightly/continuation__tomorrow"


@pytest.fixture
def parent(console: Console) -> RunRecord:
    """A run that exported three of five contacts, and whose follow-up run is queued."""
    bench = console.bench
    bench.write_settings(licence={"type": "standard", "daily_contacts": 3})
    record = bench.run(bench.export("nightly"), run_id="export-nightly/run", dag_id="export-nightly", dag_run_id="run")
    engine = bench.site().engine
    record_follow_up(engine, record.run_id, NEXT)
    with engine.begin() as connection:
        connection.execute(update(runs).values(status="CONTINUED"))
    parent = bench.site().reread(record.run_id)
    show_queued(bench.site(), parent, lambda dag_id, dag_run_id: f"http://airflow/{dag_id}/{dag_run_id}")
    return parent


def shown(console: Console, path: str) -> str:
    answer = console.client().get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_a_queued_run_is_listed_says_until_when_it_waits_and_is_linked_with_the_run_it_continues(
    console: Console, parent: RunRecord
) -> None:
    queued = console.bench.site().reread(NEXT)
    for path in ("/audit", "/audit?status=QUEUED"):
        text = shown(console, path)
        assert f'href="/runs/{queued.run_key}"' in text
        assert "data-bar" not in text
    assert f'href="/runs/{parent.run_key}"' not in shown(console, "/audit?status=QUEUED")

    text = shown(console, f"/runs/{queued.run_key}")
    assert re.search(r'Waits until <time datetime="2026-11-24T05:00:00', text)
    assert "data-bar" not in text
    assert f'Continues</dt><dd><a href="/runs/{parent.run_key}">' in text
    assert f'Continued by</dt><dd><a href="/runs/{queued.run_key}">' in shown(console, f"/runs/{parent.run_key}")


def test_an_export_with_a_queued_run_is_not_deleted_and_the_run_holds_no_quota(
    console: Console, parent: RunRecord
) -> None:
    seen = shown(console, "/exports/nightly").split('data-seen="')[1].split('"')[0]
    answer = console.client().request("DELETE", "/exports/nightly", json={"seen": seen})
    assert (answer.status_code, answer.json()["code"]) == (409, "RUN_ACTIVE")
    checks = console.client().get("/health", headers={"Accept": "application/json"}).json()["checks"]
    by_name = {one["check"]: one for one in checks}
    assert (by_name["quota"]["used"], by_name["quota"]["held"]) == (3, 0)
    assert (by_name["runs"]["healthy"], by_name["runs"]["open"]) == (True, 1)
