from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Engine, inspect, text

from bulk_export.errors import DefinitionError, TransientError
from bulk_export.state.database import open_state, transaction
from bulk_export.state.migrate import migrate
from bulk_export.state.migrations import configuration
from bulk_export.state.runs import list_runs
from bulk_export.state.schema_version import HEAD, VERSION_TABLE
from bulk_export.state.tables import metadata

# A row of the first release's tables, whatever columns came since.
KEPT = {
    "environment": "acme",
    "day": "2026-11-23",
    "used": 7,
    "export_id": "weekly",
    "contact_id": 2**53 + 1,
    "run_id": "run/1",
    "updated_at": None,
}


def test_migrating_makes_exactly_the_tables_the_code_uses(state: Engine) -> None:
    with state.connect() as connection:
        # Alembic cannot read SQLite's default of '' back; the same revisions are compared on PostgreSQL.
        strict = connection.dialect.name == "postgresql"
        opts = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": strict}
        assert compare_metadata(MigrationContext.configure(connection, opts=opts), metadata) == []


def test_checks_of_the_tables_exist_in_the_database(state: Engine) -> None:
    for table in metadata.tables.values():
        declared = {str(check.name) for check in table.constraints if isinstance(check, CheckConstraint)}
        found = {str(check["name"]) for check in inspect(state).get_check_constraints(table.name)}
        assert found == declared


def test_the_head_constant_names_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == HEAD


RELEASED = [script.revision for script in reversed(list(ScriptDirectory.from_config(configuration()).walk_revisions()))]


@pytest.mark.parametrize("release", RELEASED)
def test_a_database_of_every_release_is_brought_up_to_date_with_what_it_holds(
    release: str, empty_state_url: str
) -> None:
    engine = open_state(empty_state_url)
    with transaction(engine) as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, release)
        was = {name: inspect(connection).get_columns(name) for name in inspect(connection).get_table_names()}
        for name in ("quota_days", "deliveries"):
            columns = {str(column["name"]) for column in was[name]}
            values = {name: value for name, value in KEPT.items() if name in columns}
            names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
            connection.execute(text(f"INSERT INTO {name} ({names}) VALUES ({marks})"), values)

    migrate(engine)

    with engine.connect() as connection:
        opts = {"version_table": VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=opts), metadata) == []
        assert connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all() == [HEAD]
        assert connection.execute(text("SELECT environment, used FROM quota_days")).all() == [("acme", 7)]
        assert connection.execute(text("SELECT export_id, contact_id FROM deliveries")).all() == [("weekly", 2**53 + 1)]


@pytest.mark.faults("at-once")
@pytest.mark.slow
def test_eight_processes_may_migrate_a_fresh_database_at_once(empty_state_url: str, run_together) -> None:
    script = "migrate(open_state(sys.argv[1])); print(len(runs.list_runs(open_state(sys.argv[1]))))"
    assert run_together(script, [[empty_state_url]] * 8) == ["0"] * 8
    with open_state(empty_state_url).connect() as connection:
        assert connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all() == [HEAD]


def test_a_current_database_is_recognised_without_alembic(state_url: str, run_together) -> None:
    script = (
        "import subprocess\n"
        "code = 'import sys; from bulk_export.state.database import open_state;'\n"
        "code += 'from bulk_export.state.migrate import migrate;'\n"
        "code += 'migrate(open_state(sys.argv[1])); print(\"alembic\" in sys.modules)'\n"
        "print(subprocess.check_output([sys.executable, '-c', code, sys.argv[1]], text=True))"
    )
    assert run_together(script, [[state_url]]) == ["False"]


def test_a_database_newer_than_the_code_is_refused(state: Engine) -> None:
    with transaction(state) as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0999'"))
    with pytest.raises(DefinitionError, match=rf"STATE_TOO_NEW: the state database has schema 0999, .* up to {HEAD}"):
        migrate(state)


@pytest.mark.faults("kill")
def test_a_migration_that_fails_leaves_nothing_behind(empty_state_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_state(empty_state_url)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE events (mine TEXT)"))  # the last table of the first revision
    with pytest.raises(DefinitionError, match=r"STATE_INVALID(.|\n)*already exists(.|\n)*a database of its own"):
        migrate(engine)
    assert inspect(engine).get_table_names() == ["events"]


@pytest.mark.parametrize(
    "broken",
    [
        f"DELETE FROM {VERSION_TABLE}",
        f"DROP TABLE {VERSION_TABLE}",
        f"UPDATE {VERSION_TABLE} SET version_num = '{RELEASED[0]}'",
        "ALTER TABLE runs RENAME COLUMN matched TO found",
    ],
)
def test_tables_that_are_not_what_was_migrated_are_named_as_that(empty_state_url: str, broken: str) -> None:
    state = open_state(empty_state_url)
    migrate(state)
    with transaction(state) as connection:
        connection.execute(text(broken))
    with pytest.raises(DefinitionError, match=r"STATE_INVALID: the tables of the state database .* are not what"):
        migrate(state)
        list_runs(state)


def test_a_database_without_tables_says_to_migrate(empty_state_url: str) -> None:
    with pytest.raises(DefinitionError, match=r"STATE_NOT_MIGRATED(.|\n)*bulk-export migrate"):
        list_runs(open_state(empty_state_url))


def test_the_folder_of_a_sqlite_file_is_made_below_the_base(tmp_path: Path) -> None:
    migrate(open_state("sqlite:///var/deep/state.db", base=tmp_path))
    assert (tmp_path / "var/deep/state.db").is_file()


def test_an_absolute_sqlite_path_ignores_the_base(tmp_path: Path) -> None:
    migrate(open_state(f"sqlite:///{tmp_path}/here.db", base=Path("/nonexistent")))
    assert (tmp_path / "here.db").is_file()


def test_sqlite_runs_in_wal_mode_with_foreign_keys(migrated_file: Path) -> None:
    with open_state(f"sqlite:///{migrated_file}").connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA busy_timeout")).scalar() == 60_000


def test_a_locked_database_is_a_transient_error(migrated_file: Path) -> None:
    holder = sqlite3.connect(migrated_file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        engine = open_state(f"sqlite:///{migrated_file}", busy_timeout_s=0.05)
        with pytest.raises(TransientError, match=r"STATE_UNREACHABLE: .*locked"), transaction(engine):
            pass
    finally:
        holder.close()


def test_readers_wait_for_no_writer(migrated_file: Path) -> None:
    holder = sqlite3.connect(migrated_file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        assert list_runs(open_state(f"sqlite:///{migrated_file}", busy_timeout_s=0)) == []
    finally:
        holder.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"contact_id,status,reason\n" * 100)
    with pytest.raises(DefinitionError, match="STATE_INVALID"):
        migrate(open_state(f"sqlite:///{tmp_path}/state.db"))


@pytest.mark.faults("disk")
def test_a_folder_that_cannot_be_made_is_a_transient_error(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    with pytest.raises(TransientError, match="STATE_UNREACHABLE: cannot make the folder"):
        open_state(f"sqlite:///{tmp_path}/var/state.db")


@pytest.mark.parametrize(
    "url",
    ["hunter2", "mysql://u:hunter2@h/d", "nosuch://u:hunter2@h/d", "sqlite://", "postgresql://u:hunter2@h:port/d"],
)
def test_an_unusable_url_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(DefinitionError, match="STATE_URL_INVALID") as refused:
        open_state(url)
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.faults("postgresql")
def test_an_unreachable_server_is_a_transient_error_without_the_password() -> None:
    pytest.importorskip("psycopg")
    engine = open_state("postgres://user:hunter2@127.0.0.1:1/state")
    with pytest.raises(TransientError, match="STATE_UNREACHABLE") as failed:
        migrate(engine)
    assert "hunter2" not in str(failed.value) + str(failed.value.__cause__)


def test_airflows_postgres_urls_use_the_psycopg_driver() -> None:
    pytest.importorskip("psycopg")
    for url in ("postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg2://u@h/d"):
        assert open_state(url).url.drivername == "postgresql+psycopg"
