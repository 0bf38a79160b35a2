"""How a run ended is told in words, and to programs with a signature that proves who says it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bulk_export.audit.notifications import email, post, wanted, webhook
from bulk_export.definitions.models import Notify
from bulk_export.errors import RefusedError, TransientError
from bulk_export.state.database import open_state
from bulk_export.state.migrate import migrate
from bulk_export.state.records import NewRun, RunRecord, RunStatus, Trigger
from bulk_export.state.runs import create_run

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECRET = "a secret shared with the receiver"


@pytest.fixture
def record(tmp_path: Path) -> RunRecord:
    engine = open_state(f"sqlite:///{tmp_path}/state.db")
    migrate(engine)
    new = NewRun(
        run_id="export-nightly/run",
        export_id="nightly",
        export_name="Nightly",
        version="1",
        trigger=Trigger.SCHEDULE,
        as_of=NOW,
        licence="standard",
        definitions="{}",
        destination_name="archive",
        destination_uri="file:///srv/exports",
        directory="Nightly/1",
        dag_run_url="https://airflow.example/dags/export-nightly/runs/run",
    )
    return replace(create_run(engine, new, NOW), status=RunStatus.FAILED, error_code="LICENCE_NONE", ended_at=NOW)


@contextmanager
def receiver(status: int) -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A real HTTP server that keeps what it gets."""
    got: list[tuple[dict[str, str], bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook?token=secret-token", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("on", "status", "told"),
    [
        (("failure",), RunStatus.FAILED, True),
        (("failure",), RunStatus.CANCELLED, True),
        (("failure",), RunStatus.COMPLETED, False),
        (("completion",), RunStatus.COMPLETED_WITH_ERRORS, True),
        (("completion",), RunStatus.CONTINUED, True),
        (("completion",), RunStatus.FAILED, False),
    ],
)
def test_only_the_ends_asked_for_are_told(on: tuple[str, ...], status: RunStatus, told: bool) -> None:
    assert wanted(Notify.model_validate({"on": on}), status) is told
    assert not wanted(None, status)


def test_the_e_mail_says_how_it_ended_and_where_to_look(record: RunRecord) -> None:
    message = email(Notify(email=("legal@example.com",)), record)

    assert message is not None
    assert message.subject == "Bulk contact export: Nightly: failed"
    assert "LICENCE_NONE" in message.text
    assert record.dag_run_url in message.text


def test_the_receiver_can_prove_who_sent_it_and_that_nothing_was_changed(record: RunRecord) -> None:
    with receiver(204) as (url, got):
        message = webhook(Notify(webhook=url), record, secret=SECRET, now=NOW)
        assert message is not None
        post(message)

    [(headers, body)] = got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    facts = json.loads(body)
    assert (facts["type"], facts["data"]["run_id"]) == ("bulk_export.run.failed", "export-nightly/run")
    assert facts["data"]["directory"] is None


def test_the_same_end_told_twice_has_the_same_id(record: RunRecord) -> None:
    notify = Notify(webhook="https://example.com/hook")
    first, again = (webhook(notify, record, secret=None, now=now) for now in (NOW, NOW.replace(minute=1)))

    assert first is not None
    assert again is not None
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert "webhook-signature" not in first.headers


@pytest.mark.parametrize(("status", "error"), [(503, TransientError), (429, TransientError), (404, RefusedError)])
def test_a_receiver_in_trouble_is_tried_again_and_one_that_refuses_is_not(
    record: RunRecord, status: int, error: type[Exception]
) -> None:
    with receiver(status) as (url, _):
        message = webhook(Notify(webhook=url), record, secret=SECRET, now=NOW)
        assert message is not None
        with pytest.raises(error, match=f"127.0.0.1 answered {status}") as caught:
            post(message)
    assert "secret-token" not in str(caught.value)


def test_a_receiver_that_is_not_there_is_tried_again(record: RunRecord) -> None:
    with receiver(200) as (url, _):
        pass
    message = webhook(Notify(webhook=url), record, secret=SECRET, now=NOW)
    assert message is not None
    with pytest.raises(TransientError, match="could not be reached"):
        post(message)
