"""A state database that is away for a moment is waited for; a server that says no is not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from workbench import Workbench

from bulk_export.errors import StateAwayError, TransientError
from bulk_export.pipeline import run_export
from bulk_export.state.database import open_state, transaction
from bulk_export.state.events import append_event, list_events
from bulk_export.state.migrate import migrate
from bulk_export.state.records import RunStatus
from bulk_export.storage.retry import RetryPolicy
from postgres_server import PostgresServer, postgres_server  # noqa: F401

pytestmark = pytest.mark.slow
PATIENT = RetryPolicy(window_s=120, first_pause_s=0.05, longest_pause_s=0.2)


class Gate:
    """A port that leads to a server while it is open; closed, nobody is there."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._sockets: list[socket.socket] = []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def open(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen()
        self._sockets.append(listener)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Cut everybody off, as a server does that is stopped."""
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._sockets.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._sockets += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=_pass_on, args=(source, target), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def state(postgres_server: PostgresServer) -> Iterator[PostgresServer]:  # noqa: F811
    with postgres_server.new_database() as own:
        yield own


@contextmanager
def gate_to(state: PostgresServer) -> Iterator[tuple[Gate, str]]:
    gate = Gate(state.port)
    gate.open()
    try:
        yield gate, state.url.replace(f":{state.port}/", f":{gate.port}/")
    finally:
        gate.close()


def test_the_beginning_of_a_transaction_waits_until_the_server_is_back(
    state: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    with gate_to(state) as (gate, url):
        engine = open_state(url, patience=PATIENT)
        migrate(engine)
        gate.close()
        with pytest.raises(StateAwayError, match="STATE_UNREACHABLE"):
            list_events(open_state(url))
        opener = threading.Timer(1.0, gate.open)
        opener.start()
        [] = list_events(engine)
        opener.join()
    assert [record.message for record in caplog.records if "Waiting for it up to 120 seconds" in record.message]


def test_who_is_refused_is_told_at_once(state: PostgresServer) -> None:
    nobody = state.url.replace("postgres@", "nobody-knows@")
    with pytest.raises(TransientError, match="does not exist") as refused:
        migrate(open_state(nobody, patience=PATIENT))
    assert not isinstance(refused.value, StateAwayError)


def test_a_transaction_that_lost_its_server_says_so(state: PostgresServer) -> None:
    with gate_to(state) as (gate, url):
        engine = open_state(url, patience=PATIENT)
        migrate(engine)
        with pytest.raises(StateAwayError) as lost, transaction(engine) as connection:
            connection.exec_driver_sql("SELECT 1")
            gate.close()
            connection.exec_driver_sql("SELECT 1")
        assert lost.value.lost


def test_a_run_goes_on_though_its_state_is_restarted_under_it(bench: Workbench, state: PostgresServer) -> None:
    bench.contacts([bench.call(n, seconds=0.1) for n in range(1, 4)])
    bench.export(incremental=True)
    bench.write_settings(state={"url": state.url})
    append_event(bench.site().engine, "test", "made", "tables", "", bench.now)
    with state.connect() as connection:
        # The first row of each of these tables ends the connection that writes it, as a server that is stopped does.
        connection.execute(
            "CREATE FUNCTION stop_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " IF nextval('stopped_' || TG_TABLE_NAME) = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;"
            " RETURN NEW; END $$"
        )
        for table in ("runs", "reservations", "job_progress", "deliveries"):
            connection.execute(f"CREATE SEQUENCE stopped_{table}")
            connection.execute(
                f"CREATE TRIGGER stop BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION stop_once()"
            )

    record = run_export(bench.site(), bench.request())

    assert (record.status, record.exported, record.error_code) == (RunStatus.COMPLETED, 3, "")
    with state.connect() as connection:
        for table in ("runs", "reservations", "job_progress", "deliveries"):
            [(calls,)] = connection.execute(f"SELECT last_value FROM stopped_{table}").fetchall()
            assert calls > 1, table
