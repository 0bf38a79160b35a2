"""Whole runs whose contacts, and whose state, are in a real PostgreSQL."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from workbench import NOW, Workbench, files_of, read_csv, write_wav

from bulk_export.bag.verify import verify_run
from bulk_export.cli import main
from bulk_export.cli.schema import store_sql
from bulk_export.pipeline import batch_contacts, check_quota, copy_media, validate_filters
from bulk_export.state.reservations import reserve, usage
from bulk_export.storage.local import LocalStorage
from bulk_export_sample import make_sample_store
from postgres_server import PostgresServer, load_table, postgres_server  # noqa: F401

_WAIT_S = 120


@pytest.fixture
def contacts_db(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresServer]:  # noqa: F811
    """An empty database that is the connection `contacts_db` of the command line."""
    with postgres_server.new_database() as own:
        monkeypatch.setenv("AIRFLOW_CONN_CONTACTS_DB", own.url)
        yield own


@pytest.fixture
def state_db(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresServer]:  # noqa: F811
    """The same for `state_db`, written as Airflow writes it."""
    with postgres_server.new_database() as own:
        monkeypatch.setenv("AIRFLOW_CONN_STATE_DB", own.url.replace("postgresql://", "postgres://"))
        yield own


def fill(database: PostgresServer, store: Path) -> None:
    """The recommended table with the contacts of a Parquet store; contact ids and starts are its own."""
    with database.connect() as connection:
        [(icu,)] = connection.execute("SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu'").fetchall()
    role = f"reader_{database.database}"
    sql = store_sql().replace(" bulk_export", f" {role}")
    with database.connect() as connection:
        connection.execute(sql if icu else sql.replace("und-x-icu", "pg_c_utf8"))
        connection.execute(f"DROP OWNED BY {role}")
        connection.execute(f"DROP ROLE {role}")
    files = sorted((store / "contacts").rglob("*.parquet"))
    load_table(database, "contacts", pa.concat_tables(pq.ParquetFile(path).read() for path in files))


def run(bench: Workbench, capsys: pytest.CaptureFixture[str], export: str = "nightly") -> dict[str, object]:
    capsys.readouterr()
    main(["--definitions", str(bench.definitions), "run", export, "--json"])
    record: dict[str, object] = json.loads(capsys.readouterr().out)
    return record


def test_a_store_in_postgresql_is_exported_as_its_twin_in_parquet(
    bench: Workbench, contacts_db: PostgresServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    sample = tmp_path / "sample"
    make_sample_store(sample, contacts=60, seed=5, until=NOW, dirt=True)
    fill(contacts_db, sample)
    bench.search(
        "everything",
        {"field": "started_at", "operator": "last_days", "value": 50, "time_zone": "contact"},
        {"field": "text", "operator": "any_words", "value": "you thank gracias the de"},
    )
    bench.export(csv={"metadata_parquet": True})

    bench.write_settings(contact_store={"type": "parquet", "uri": str(sample)})
    twin = run(bench, capsys)
    bench.write_settings(contact_store={"type": "postgres", "connection": "contacts_db", "objects": str(sample)})
    assert main(["--definitions", str(bench.definitions), "check-store"]) == 0
    assert "60 contacts" in capsys.readouterr().out
    record = run(bench, capsys)

    same = ("status", "matched", "roots", "exported", "masked", "by_status", "by_reason", "media_files", "media_bytes")
    assert {name: record[name] for name in same} == {name: twin[name] for name in same}
    assert int(str(record["exported"])) > 10
    delivered, other = (files_of(bench.root / "exports" / str(each["directory"])) for each in (record, twin))
    payload = {name for name in other if name.startswith("data/") and name != "data/export.yaml"}
    assert {name: delivered.get(name) for name in payload} == {name: other[name] for name in payload}
    assert verify_run(LocalStorage(bench.root / "exports" / str(record["directory"]))).faults == ()


def test_the_worked_example_of_the_document_is_exported(
    bench: Workbench, contacts_db: PostgresServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = (Path(__file__).parents[2] / "docs/postgres.md").read_text()
    statements = re.findall(r"```sql\n(.*?)```", document, re.DOTALL)
    [written] = re.findall(r"```yaml\n(.*?)```", document, re.DOTALL)
    (bench.root / "recordings/2026").mkdir(parents=True)
    write_wav(bench.root / "recordings/2026/1.wav", 0.5)
    place = {"objects": "../recordings", "objects_connection": None}
    bench.write_settings(contact_store=yaml.safe_load(written)["contact_store"] | place)
    bench.export(transcripts="none")
    try:
        with contacts_db.connect() as connection:
            for block in statements:
                connection.execute(block)
        monkeypatch.setenv("AIRFLOW_CONN_CONTACTS_DB", contacts_db.url_of("bulk_export"))

        assert main(["--definitions", str(bench.definitions), "check-store"]) == 0
        assert "3 contacts, 20 known columns" in capsys.readouterr().out
        record = run(bench, capsys)
    finally:
        with contacts_db.connect() as connection:
            connection.execute("DROP OWNED BY bulk_export")
            connection.execute("DROP ROLE bulk_export")

    assert (record["status"], record["exported"], record["media_files"]) == ("COMPLETED", 3, 1)
    rows = read_csv(bench.root / "exports" / str(record["directory"]) / "data/contacts.csv")
    shown = ("Contact ID", "Last Name", "Team Name", "Time Zone", "Score", "Call Duration", "% Silence", "account-key")
    assert [tuple(row[name] for name in shown) for row in rows] == [
        ("1", "Quispe Mamani", "Cobranzas", "America/Bogota", "85", "00:01:30", ".13", "A-17"),
        ("2", "Quispe Mamani", "Cobranzas", "Europe/Madrid", "", "00:02:00", "", "A-18"),
        ("3", "", "", "UTC", "", "00:00:00", ".00", ""),
    ]


@pytest.mark.faults("postgresql")
def test_a_store_that_cannot_be_used_ends_the_run_before_anything_is_charged(
    bench: Workbench, contacts_db: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.export()
    bench.write_settings(contact_store={"type": "postgres", "connection": "contacts_db", "objects": "../store"})
    record = run(bench, capsys)
    assert (record["status"], record["error_code"], record["failed_stage"]) == (
        "FAILED",
        "STORE_INVALID",
        "validate_filters",
    )
    assert usage(bench.site().engine, "acme", NOW.date()).used == 0
    assert main(["--definitions", str(bench.definitions), "check-store"]) == 1
    assert "no such table or view" in capsys.readouterr().err


@pytest.mark.faults("postgresql")
def test_a_contact_that_changes_or_leaves_during_a_run_is_told(
    bench: Workbench, contacts_db: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.contacts([bench.call(number, last_name="Before") for number in range(1, 5)])
    fill(contacts_db, bench.root / "store")
    bench.export()
    bench.write_settings(contact_store={"type": "postgres", "connection": "contacts_db", "objects": "../store"})
    request, site = bench.request(), bench.site()
    object.__setattr__(site, "database_url", lambda _name: contacts_db.url)
    validate_filters(site, request)
    assert check_quota(site, request.run_id)["granted"] == 4
    with contacts_db.connect() as connection:
        connection.execute("UPDATE contacts SET last_name = 'After' WHERE contact_id = 1")
        connection.execute("UPDATE contacts SET started_at = started_at + interval '90 days' WHERE contact_id = 2")
        connection.execute("DELETE FROM contacts WHERE contact_id = 3")
    assert batch_contacts(site, request.run_id) == [1]
    job = site.staging(site.reread(request.run_id).run_key).job(1)
    assert dict(zip(job["contact_id"].to_pylist(), job["last_name"].to_pylist(), strict=True)) == {
        1: "After",
        4: "Before",
    }
    excluded = site.staging(site.reread(request.run_id).run_key).read_table("excluded.parquet").to_pylist()
    assert [(row["contact_id"], row["reason"]) for row in excluded] == [(2, "CONTACT_GONE"), (3, "CONTACT_GONE")]


def test_the_command_line_keeps_its_state_in_postgresql(
    bench: Workbench, state_db: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.contacts([bench.call(1), bench.call(2)])
    bench.export()
    bench.write_settings(state={"connection": "state_db"})

    assert main(["--definitions", str(bench.definitions), "migrate"]) == 0
    assert state_db.database in capsys.readouterr().out
    record = run(bench, capsys)
    assert (record["status"], record["exported"]) == ("COMPLETED", 2)
    assert main(["--definitions", str(bench.definitions), "audit", "list"]) == 0
    assert str(record["run_key"]) in capsys.readouterr().out
    with state_db.connect() as connection:
        assert connection.execute("SELECT used FROM quota_days").fetchall() == [(2,)]
    assert not (bench.root / "state.db").exists()


def test_the_recommended_table_is_printed_for_psql(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "store-sql"]) == 0
    printed = capsys.readouterr().out
    assert printed == store_sql()
    assert "CREATE TABLE contacts (" in printed


def test_a_connection_nobody_told_the_command_line_is_named(
    bench: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.export()
    bench.write_settings(state={"connection": "nowhere_db"})
    assert main(["--definitions", str(bench.definitions), "migrate"]) == 2
    said = capsys.readouterr().err
    assert "CONNECTION_UNKNOWN" in said
    assert "AIRFLOW_CONN_NOWHERE_DB" in said


def test_no_transaction_is_open_while_media_is_copied_and_others_may_reserve(
    bench: Workbench, state_db: PostgresServer
) -> None:
    bench.contacts([bench.call(number) for number in range(1, 4)])
    bench.export()
    bench.write_settings(state={"url": state_db.url})
    copying, go_on = threading.Event(), threading.Event()

    def stop_at_media(stage: str, done: int, total: int) -> None:
        if stage == "copy_media":
            copying.set()
            assert go_on.wait(_WAIT_S)

    bench.report = stop_at_media
    request = bench.request()
    validate_filters(bench.site(), request)
    check_quota(bench.site(), request.run_id)
    batch_contacts(bench.site(), request.run_id)
    stage = threading.Thread(target=copy_media, args=(bench.site(), request.run_id, 1))
    stage.start()
    try:
        assert copying.wait(_WAIT_S)
        with state_db.connect() as connection:
            open_ones = connection.execute(
                "SELECT state, query FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
            ).fetchall()
            held = connection.execute(
                "SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database"
                " WHERE d.datname = current_database() AND l.pid <> pg_backend_pid()"
            ).fetchall()
        assert (open_ones, held) == ([], [(0,)])
        other = reserve(
            bench.site().engine,
            run_id="another/run",
            environment="acme",
            day=NOW.date(),
            wanted=5,
            daily_limit=40_000,
            policy="continue",
            now=NOW + timedelta(minutes=1),
        )
        assert (other.granted, other.used_before) == (5, 3)
    finally:
        go_on.set()
        stage.join(_WAIT_S)
    assert not stage.is_alive()
