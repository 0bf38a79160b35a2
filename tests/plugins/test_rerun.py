"""A run again, and what failed in it again: which DAG the buttons trigger, and with what conf."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import update

from bulk_export.state.tables import runs

if TYPE_CHECKING:
    from conftest import Console

FORMATS = {"audio_video": "none", "transcripts": "none"}


def shown(client: Any, path: str) -> str:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def test_running_again_asks_for_the_same(console: Console) -> None:
    asked = {"name": "Now", "search": "everything", "storage_location": "archive", "audio_only": "original"}
    now = console.bench.run(immediate=asked, dag_id="bulk_contact_export_now", parameters={"limit": 3})
    saved = console.bench.run(console.bench.export("nightly"), dag_id="export-nightly", parameters={"limit": 2})

    assert offered(console, now.run_key, "Run again") == ("bulk_contact_export_now", asked | FORMATS | {"limit": 3})
    assert offered(console, saved.run_key, "Run again") == ("export-nightly", {"limit": 2})
    (console.bench.definitions / "exports/nightly.yaml").unlink()
    assert offered(console, saved.run_key, "Run again") is None


def offered(console: Console, key: str, button: str, user: str = "ada") -> Any:
    """The DAG a button of the run page triggers, and what it gives it; None where there is no such button."""
    text = shown(console.client(user), f"/runs/{key}")
    found = re.search(rf'data-run="([^"]+)" data-conf="([^"]*)">{button}<', text)
    return found and (found.group(1), json.loads(html.unescape(found.group(2))))


def test_what_failed_is_retried_alone_and_both_runs_name_each_other(console: Console) -> None:
    lost = [console.bench.root / f"store/media/{number}.wav" for number in (2, 4)]
    kept = [path.read_bytes() for path in lost]
    for path in lost:
        path.unlink()
    parameters = {"limit": 4, "storage_location": "archive"}
    first = console.bench.run(console.bench.export("nightly"), dag_id="export-nightly", parameters=parameters)
    assert offered(console, first.run_key, "Retry failed only", "vera") is None
    dag, conf = offered(console, first.run_key, "Retry failed only")
    assert (dag, conf) == ("export-nightly", {"storage_location": "archive", "retry_failed_of": first.run_key})

    for path, content in zip(lost, kept, strict=True):
        path.write_bytes(content)
    second = console.bench.run("nightly", dag_id="export-nightly", parameters=conf)
    assert (second.matched, second.by_status["delivered"], second.by_status["faulty"]) == (2, 2, 0)
    assert offered(console, second.run_key, "Retry failed only") is None
    assert f'Retries what failed in</dt><dd><a href="/runs/{first.run_key}">' in shown(
        console.client(), f"/runs/{second.run_key}"
    )
    assert f'Retried by</dt><dd><a href="/runs/{second.run_key}">' in shown(console.client(), f"/runs/{first.run_key}")

    (console.bench.definitions / "exports/nightly.yaml").unlink()
    assert offered(console, first.run_key, "Retry failed only") is None


def test_a_retry_of_what_was_sent_at_once_answers_its_form_anew(console: Console) -> None:
    (console.bench.root / "store/media/2.wav").unlink()
    asked = {"name": "Now", "search": "everything", "storage_location": "archive", "audio_only": "original"}
    run = console.bench.run(immediate=asked, dag_id="bulk_contact_export_now", parameters={"limit": 3})
    wanted = asked | FORMATS | {"retry_failed_of": run.run_key}
    assert offered(console, run.run_key, "Retry failed only") == ("bulk_contact_export_now", wanted)


def test_a_run_under_way_is_not_retried(console: Console) -> None:
    (console.bench.root / "store/media/2.wav").unlink()
    run = console.bench.run(console.bench.export("nightly"), dag_id="export-nightly")
    with console.bench.site().engine.begin() as connection:
        connection.execute(update(runs).values(status="RUNNING"))
    assert offered(console, run.run_key, "Retry failed only") is None
