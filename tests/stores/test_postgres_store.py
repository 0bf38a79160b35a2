"""A contact store in PostgreSQL: what is read, what is refused, and that it stays within its limits and rights."""

from __future__ import annotations

import sys
import time
import tracemalloc
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest

from bulk_export.contacts import open_contact_store
from bulk_export.contacts.postgres import PostgresContactStore
from bulk_export.contacts.postgres_session import Database, reading
from bulk_export.contacts.schema import STORE_COLUMNS
from bulk_export.definitions.contact_stores import PostgresStore
from bulk_export.definitions.models import Filter
from bulk_export.errors import BulkExportError, DefinitionError, RefusedError, TransientError
from bulk_export.filters.dialect import DIALECTS
from bulk_export.filters.words import fold, words_of
from bulk_export.storage.local import LocalStorage

Contact = Callable[..., dict[str, object]]
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
DDL = Path(__file__).parents[2] / "include/bulk_export/contacts/postgres.sql"
NOVEMBER = Filter(field="started_at", operator="on_or_after", value="2026-11-01")
REQUIRED = "contact_id bigint, started_at timestamptz, time_zone text, contact_type text"


@pytest.fixture
def stores(postgres_stores: Any) -> Any:
    return postgres_stores


def ddl(stores: Any, user: str) -> str:
    """The recommended tables as this server takes them, for a role of another name: roles are the whole server's."""
    sql = DDL.read_text().replace(" bulk_export", f" {user}")
    return sql if stores.open().dialect == "postgres" else sql.replace("und-x-icu", "pg_c_utf8")


# --- types -------------------------------------------------------------------------------------------------------

FITTING = [
    ("contact_id", "smallint", "1", 1),
    ("contact_id", "numbers", "1", 1),
    ("last_name", "varchar(9)", "'a'", "a"),
    ("last_name", "char(3)", "'a'", "a"),
    ("last_name", "letters", "'a'", "a"),
    ("last_name", "careless", "'a'", "a"),
    ("last_name", "text", "''", ""),
    ("score", "integer", "7", 7),
    ("silence_ratio", "real", "0.3", 0.3),
    ("silence_ratio", "double precision", "'NaN'", None),
    ("silence_ratio", "real", "'-Infinity'", None),
    ("silence_ratio", "integer", "1", 1.0),
    ("started_at", "timestamp", "'2026-11-01 12:00'", AT),
    ("started_at", "timestamptz(0)", "'2026-11-01 07:00-05'", AT),
    ("updated_at", "timestamp", "null", None),
    ("date_evaluated", "date", "'2026-11-01'", date(2026, 11, 1)),
    ("date_evaluated", "date", "'infinity'", None),
    ("date_evaluated", "date", "'0044-03-15 BC'", None),
    ("hr", "boolean", "true", True),
]


@pytest.mark.parametrize(("column", "held", "value", "expected"), FITTING)
def test_types_that_hold_the_same_values_are_accepted(
    column: str, held: str, value: str, expected: object, stores: Any
) -> None:
    columns = {"contact_id": "bigint", "started_at": "timestamptz", "time_zone": "text", "contact_type": "text"}
    columns |= {column: held}
    values = {"contact_id": "1", "started_at": "'2026-11-01 12:00Z'", "time_zone": "'UTC'", "contact_type": "'CALL'"}
    values |= {column: value}
    stores.execute(
        "CREATE DOMAIN numbers AS bigint CHECK (value > 0)",
        "CREATE TYPE letters AS ENUM ('a', 'b')",
        "CREATE DOMAIN careless AS varchar(5)",
        f"CREATE TABLE contacts ({', '.join(f'{name} {kind}' for name, kind in columns.items())})",
        f"INSERT INTO contacts ({', '.join(values)}) VALUES ({', '.join(values.values())})",
    )
    stores.open().check()
    on_that_day = Filter(field="started_at", operator="on", value="2026-11-01")
    fetched = stores.open().fetch(stores.keys(on_that_day), (), with_text=False)
    assert fetched[column].to_pylist() == [expected]


WRONG = [
    ("contact_id", "text", "is text, not whole number (int64)"),
    ("started_at", "date", "is date, not timestamp"),
    ("last_name", "bytea", "is bytea, not text"),
    ("last_name", "text[]", "is _text, not text"),
    ("score", "numeric", "is numeric, not whole number (int64)"),
    ("call_duration", "interval", "is interval, not whole number (int64)"),
    ("silence_ratio", "numeric(5, 4)", "is numeric, not decimal number (float64)"),
    ("hr", "smallint", "is int2, not yes/no (bool)"),
    ("date_evaluated", "timestamptz", "is timestamptz, not date"),
    ("metadata", "text", "is text, not map of text to text (json or jsonb)"),
]


@pytest.mark.parametrize(("column", "held", "message"), WRONG)
def test_a_column_of_the_wrong_type_is_refused_by_name(column: str, held: str, message: str, stores: Any) -> None:
    stores.execute(
        f"CREATE TABLE contacts ({REQUIRED})",
        f"ALTER TABLE contacts DROP COLUMN IF EXISTS {column}",
        f"ALTER TABLE contacts ADD COLUMN {column} {held}",
    )
    assert stores.refusal() == f"contacts {column}: {message}"


def test_every_problem_is_told_at_once(stores: Any) -> None:
    stores.execute(
        "CREATE TABLE contacts (contact_id bigint, started_at timestamptz, contact_type text, score text, hr text)",
        "INSERT INTO contacts VALUES (1, null, 'CALL', 'high', 'yes'), (null, now(), 'CALL', null, null)",
    )
    said = stores.refusal()
    for problem in (
        "contacts score: is text, not whole number (int64)",
        "contacts hr: is text, not yes/no (bool)",
        "contacts time_zone: is required and missing",
        "contacts contact_id: is null in 1 contacts",
        "contacts started_at: is null in 1 contacts",
    ):
        assert problem in said


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "0044-03-15 BC", "20000-01-01"])
@pytest.mark.parametrize("column", ["started_at", "updated_at"])
def test_a_moment_no_calendar_holds_is_refused(column: str, moment: str, stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1, updated_at=AT), make_contact(2)])
    stores.execute(f"UPDATE contacts SET {column} = '{moment}' WHERE contact_id = 1")
    with pytest.raises(DefinitionError, match=f"{column}: is outside the years 1 to 9999 in 1 contacts"):
        stores.keys(Filter(field="contact_id", operator="at_least", value=0))
    assert not (stores.root / "keys.parquet").exists()


@pytest.mark.parametrize("held", ["json", "jsonb"])
def test_metadata_becomes_one_column_per_exportable_key(held: str, stores: Any) -> None:
    objects = ['{"account-key": "A", "other": "B"}', '{"account-key": null}', '{"account-key": 7}', "[]", None]
    stores.execute(f"CREATE TABLE contacts ({REQUIRED}, metadata {held})")
    with stores.server.connect() as connection:
        for number, value in enumerate(objects):
            row = (number, AT, "UTC", "CALL", value)
            connection.execute(f"INSERT INTO {stores.schema}.contacts VALUES (%s, %s, %s, %s, %s)", row)
    fetched = stores.open().fetch(stores.keys(), ("other", "account-key"), with_text=False)
    assert fetched["metadata.account-key"].to_pylist() == ["A", None, "7", None, None]
    assert fetched["metadata.other"].to_pylist() == ["B", None, None, None, None]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"a\u0000b", "a\ufffdb"),
        (r"\u0000\u0000", "\ufffd\ufffd"),
        (r"x\ud83d", "x\ufffd"),
        (r"\uDE00y", "\ufffdy"),
        (r"\ud83d\ude00\ude00", "😀\ufffd"),
        (r"\ud83d\ud83d\ude00", "\ufffd😀"),
        (r"\\u0000 \\\u0000", "\\u0000 \\\ufffd"),
        (r"\\ud83d\ude00", "\\ud83d\ufffd"),
        (r"\u00d1and\u00fa \"\\\/\n", 'Ñandú "\\/\n'),
    ],
)
def test_json_that_is_no_text_is_replaced_in_its_contact_alone(
    stores: Any, make_contact: Contact, written: str, text: str
) -> None:
    stores.execute(f"CREATE TABLE contacts ({REQUIRED}, metadata json)")
    with stores.server.connect() as connection:
        for number, value in enumerate((f'{{"key": "{written}", "o{written}": 1}}', '{"key": "plain"}')):
            row = (number, AT, "UTC", "CALL", value)
            connection.execute(f"INSERT INTO {stores.schema}.contacts VALUES (%s, %s, %s, %s, %s)", row)
    assert stores.open().check(values=True).contacts == 2
    keys = stores.keys(Filter(field="metadata.key", operator="is_not_empty"), metadata=("key",))
    assert stores.open().fetch(keys, ("key",), with_text=False)["metadata.key"].to_pylist() == [text, "plain"]


def test_a_value_that_a_view_cannot_make_names_its_column(stores: Any) -> None:
    stores.execute(
        "CREATE TABLE raw (n bigint, score text, share text)",
        "INSERT INTO raw VALUES (1, '7', '0.5'), (2, 'seven', '0.5')",
        "CREATE VIEW contacts AS SELECT n AS contact_id, timestamptz '2026-11-01Z' AS started_at, 'UTC' AS time_zone,"
        " 'CALL' AS contact_type, score::bigint AS score, share::float8 AS silence_ratio FROM raw",
    )
    words = r"score: cannot be read in every contact \(InvalidTextRepresentation, 22P02\)"
    with pytest.raises(DefinitionError, match=words) as checked:
        stores.open().check(values=True)
    with pytest.raises(DefinitionError, match=words) as fetched:
        stores.open().fetch(stores.keys(), (), with_text=False)
    with pytest.raises(DefinitionError, match=words):
        stores.keys(Filter(field="score", operator="at_least", value=1))
    assert [problem.where for problem in checked.value.problems] == ["score"]
    assert checked.value.problems == fetched.value.problems
    assert "seven" not in str(fetched.value)


@pytest.mark.parametrize("column", ["started_at", "updated_at"])
def test_a_check_of_values_refuses_what_a_run_of_every_contact_would(
    column: str, stores: Any, make_contact: Contact
) -> None:
    stores.write([make_contact(1, updated_at=AT), make_contact(2)])
    stores.execute(f"UPDATE contacts SET {column} = 'infinity' WHERE contact_id = 1")
    with pytest.raises(DefinitionError, match=f"{column}: is outside the years 1 to 9999 in 1 contacts"):
        stores.open().check(values=True)


def test_a_column_that_differs_only_by_case_is_refused(stores: Any) -> None:
    stores.execute(f'CREATE TABLE contacts ({REQUIRED}, "Recycled" boolean, "isRoot" boolean, notes text)')
    with pytest.raises(DefinitionError) as refused:
        stores.open().check()
    assert sorted(problem.where for problem in refused.value.problems) == ["is_root", "recycled"]


def test_sizes_that_no_file_has_do_not_stop_the_others(stores: Any, make_contact: Contact) -> None:
    largest = 2**63 - 1
    stores.write([make_contact(1, audio_bytes=largest, screen_bytes=largest), make_contact(2, audio_bytes=-5)])
    assert stores.open().count(stores.selection()).media_bytes == 2**51


def test_a_column_whose_collation_ignores_case_is_still_compared_as_everywhere(stores: Any) -> None:
    if stores.open().dialect != "postgres":
        pytest.skip("this server was built without ICU and has no such collations")
    stores.execute(
        "CREATE COLLATION careless (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
        f"CREATE TABLE contacts ({REQUIRED}, last_name text COLLATE careless, state text COLLATE careless)",
        "INSERT INTO contacts VALUES (1, '2026-11-01Z', 'UTC', 'CALL', 'señor', 'Scored'),"
        " (2, '2026-11-01Z', 'UTC', 'CALL', 'SENOR', 'scored'), (3, '2026-11-01Z', 'UTC', 'CALL', U&'\\00AD', '')",
    )
    assert stores.ids(Filter(field="last_name", operator="contains", value="Seño")) == [1]
    assert stores.ids(Filter(field="last_name", operator="equals", value="Senor")) == [2]
    assert stores.ids(Filter(field="state", operator="is_any_of", value=["Scored"])) == [1]
    assert stores.ids(Filter(field="last_name", operator="is_empty")) == []


def test_an_operand_that_no_text_can_hold_matches_nothing(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1, last_name="A", metadata={"a": "b"})])
    for operator in ("equals", "contains", "starts_with", "ends_with"):
        assert stores.ids(Filter(field="last_name", operator=operator, value="A\0")) == []
    assert stores.ids(Filter(field="last_name", operator="is_none_of", value=["\0"])) == [1]
    assert stores.ids(Filter(field="metadata.a\0", operator="is_empty"), metadata=("a\0",)) == [1]


def test_a_name_may_need_quotation_marks(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1)])
    stores.execute('CREATE SCHEMA IF NOT EXISTS "Odd-Schema"', 'CREATE VIEW "Odd-Schema"."select" AS TABLE contacts')
    try:
        assert stores.open(table="Odd-Schema.select").check().contacts == 1
    finally:
        stores.execute('DROP SCHEMA "Odd-Schema" CASCADE')


# --- the recommended table ---------------------------------------------------------------------------------------


def test_the_recommended_table_has_every_column_with_its_type(stores: Any) -> None:
    stores.execute(ddl(stores, f"role_{stores.schema}"))
    try:
        stores.execute(f"GRANT USAGE ON SCHEMA {stores.schema} TO role_{stores.schema}")
        report = stores.open(user=f"role_{stores.schema}").check()
        assert (report.columns, report.absent, report.ignored) == (tuple(STORE_COLUMNS), (), ())
        assert report.contacts == 0
    finally:
        stores.execute(f"DROP OWNED BY role_{stores.schema}", f"DROP ROLE role_{stores.schema}")


def fill(stores: Any, rows: int) -> None:
    stores.execute(
        "INSERT INTO contacts (contact_id, started_at, time_zone, contact_type, team_name, score)"
        " SELECT n, timestamptz '2026-02-20 00:00Z' + n * interval '10 minutes', 'UTC', 'CALL', 'Équipe ' || n % 500,"
        f" n % 100 FROM generate_series(1, {rows}) AS n"
    )


def scans(stores: Any) -> dict[str, int]:
    """How often the table and each index have been read so far."""
    with stores.server.connect() as connection:
        rows = connection.execute(
            "SELECT indexrelname, idx_scan FROM pg_stat_user_indexes WHERE schemaname = %(schema)s"
            " UNION ALL SELECT relname, seq_scan FROM pg_stat_user_tables WHERE schemaname = %(schema)s",
            {"schema": stores.schema},
        ).fetchall()
    return dict(rows)


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ([Filter(field="started_at", operator="on", value="2026-03-01")], "contacts_by_start"),
        ([Filter(field="started_at", operator="last_days", value=3, time_zone="contact")], "contacts_by_start"),
        ([Filter(field="team_name", operator="equals", value="ÉQUIPE 7")], "contacts_by_team"),
        ([Filter(field="contact_id", operator="equals", value=7)], "contacts_pkey"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_searches_are_answered_by_the_recommended_indexes(filters: list[Filter], index: str, stores: Any) -> None:
    stores.execute(ddl(stores, f"role_{stores.schema}"))
    fill(stores, 40_000)
    stores.execute("ANALYZE contacts", f"DROP OWNED BY role_{stores.schema}", f"DROP ROLE role_{stores.schema}")
    selection = stores.selection(*filters)
    before = scans(stores)
    assert stores.open().count(selection).contacts > 0
    deadline = time.monotonic() + 60  # the server counts a session's scans when it ends
    while scans(stores)[index] == before[index] and time.monotonic() < deadline:
        time.sleep(0.05)
    after = scans(stores)
    assert (after[index] > before[index], after["contacts"]) == (True, before["contacts"])


def test_a_preview_reads_the_table_once(stores: Any) -> None:
    """Words in bodies have no index: reading them twice would take twice as long."""
    stores.execute(ddl(stores, f"role_{stores.schema}"))
    fill(stores, 2_000)
    stores.execute("ANALYZE contacts", f"DROP OWNED BY role_{stores.schema}", f"DROP ROLE role_{stores.schema}")
    selection = stores.selection(Filter(field="score", operator="at_least", value=0))  # no index serves it
    before = sum(scans(stores).values())
    assert stores.open().preview(selection, 50)[1].num_rows == 50
    deadline = time.monotonic() + 60  # the server counts a session's scans when it ends
    while (after := sum(scans(stores).values())) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert after == before + 1


def test_the_date_range_of_a_search_is_an_index_condition(stores: Any) -> None:
    """PostgreSQL's own words: the columns reach the planner bare, whatever the relation makes of the others."""
    from bulk_export.contacts.postgres import matched
    from bulk_export.contacts.postgres_table import describe

    stores.execute(ddl(stores, f"role_{stores.schema}"))
    fill(stores, 40_000)
    stores.execute("ANALYZE contacts", f"DROP OWNED BY role_{stores.schema}", f"DROP ROLE role_{stores.schema}")
    selection = stores.selection(Filter(field="started_at", operator="between", value=["2026-03-01", "2026-03-02"]))
    database = Database(f"{stores.server.url}?options=-csearch_path%3D{stores.schema}", "contacts", 60)
    with reading(database) as session:
        query = matched(describe(session, "contacts"), selection)
        plan = "\n".join(line for (line,) in session.rows(f"EXPLAIN {query}", selection.parameters))
    assert "contacts_by_start" in plan
    assert "Index Cond: ((started_at >= '2026-03-01 00:00:00'" in plan
    assert "Seq Scan" not in plan


# --- one snapshot, little memory, limits -------------------------------------------------------------------------


def test_a_selection_is_of_one_moment_however_the_store_changes(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1)])
    stores.execute("INSERT INTO contacts SELECT n, started_at, 'UTC', 'CALL' FROM contacts, generate_series(2, 5000) n")
    database = Database(f"{stores.server.url}?options=-csearch_path%3D{stores.schema}", "contacts", 60)
    with reading(database) as session:
        batches = session.batches("SELECT contact_id FROM contacts", (), 1000)
        read = len(next(batches))
        stores.execute("DELETE FROM contacts WHERE contact_id > 1", "INSERT INTO contacts SELECT * FROM contacts")
        assert read + sum(map(len, batches)) == 5000
        assert session.rows("SELECT count(*) FROM contacts") == [(5000,)]
    assert stores.open().count(stores.selection()).contacts == 2


def test_a_big_selection_takes_little_memory(stores: Any, tmp_path: Path) -> None:
    stores.execute(
        "CREATE VIEW contacts AS SELECT n AS contact_id, 'UTC' AS time_zone,"
        " timestamptz '2026-11-01Z' + n * interval '1 second' AS started_at,"
        " 'CALL' AS contact_type FROM generate_series(1, 80000) AS n"
    )
    store, selection = stores.open(), stores.selection()
    store.select_keys(selection, tmp_path / "keys.parquet")  # what is imported and kept from now on is not of the size
    tracemalloc.start()
    try:
        assert store.select_keys(selection, tmp_path / "keys.parquet").contacts == 80_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12_000_000  # all rows at once take over twice that
    keys = pq.read_table(tmp_path / "keys.parquet", columns=["contact_id"])["contact_id"].to_pylist()
    assert keys == list(range(1, 80_001))


@pytest.mark.faults("postgresql")
def test_a_query_that_takes_too_long_is_given_up_and_may_be_tried_again(stores: Any) -> None:
    stores.execute(
        "CREATE VIEW contacts AS SELECT 1::bigint AS contact_id, timestamptz '2026-11-01Z' AS started_at,"
        " 'UTC' AS time_zone, (SELECT 'CALL' FROM pg_sleep(30)) AS contact_type"
    )
    with pytest.raises(TransientError, match=r"STORE_TIMEOUT.*gave no answer in 1 seconds") as caught:
        stores.open(statement_timeout_s=1).count(
            stores.selection(Filter(field="contact_type", operator="is_any_of", value=["CALL"]))
        )
    assert "statement_timeout_s" in caught.value.hint


@pytest.mark.faults("postgresql")
def test_a_view_that_writes_is_refused(stores: Any) -> None:
    stores.execute(
        "CREATE TABLE seen (id bigint)",
        "CREATE FUNCTION noted(id bigint) RETURNS bigint LANGUAGE sql VOLATILE AS"
        " 'INSERT INTO seen VALUES (id) RETURNING id'",
        "CREATE VIEW contacts AS SELECT noted(1) AS contact_id, now() AS started_at, 'UTC' AS time_zone,"
        " 'CALL' AS contact_type",
    )
    with pytest.raises(DefinitionError, match="reading it writes something"):
        stores.open().check()


def test_no_connection_stays_open(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1), make_contact(1)])
    store = stores.open()
    for attempt in (lambda: store.count(stores.selection()), store.check, stores.keys):
        try:
            attempt()
        except DefinitionError:
            continue
    with stores.server.connect() as connection:
        [(count,)] = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bulk-export' AND state <> 'idle'"
        ).fetchall()
    assert count == 0


# --- errors ------------------------------------------------------------------------------------------------------


def failure(store: PostgresContactStore) -> BulkExportError:
    with pytest.raises(BulkExportError) as caught:
        store.check()
    return caught.value


@pytest.mark.faults("postgresql")
def test_a_table_that_is_not_there_is_named(stores: Any) -> None:
    error = failure(stores.open(table="nowhere.contacts"))
    assert (error.code, isinstance(error, DefinitionError)) == ("STORE_INVALID", True)
    assert "nowhere.contacts" in error.message


@pytest.mark.faults("postgresql")
def test_no_right_to_read_is_a_refusal(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1)])
    user = f"role_{stores.schema}"
    stores.execute(f"CREATE ROLE {user} LOGIN")
    try:
        assert failure(stores.open(user=user, table=f"{stores.schema}.contacts")).code == "STORE_DENIED"
        stores.execute(f"GRANT USAGE ON SCHEMA {stores.schema} TO {user}")
        error = failure(stores.open(user=user))
        assert (error.code, isinstance(error, RefusedError)) == ("STORE_DENIED", True)
        stores.execute(f"GRANT SELECT ON contacts TO {user}")
        assert stores.open(user=user).check().contacts == 1
    finally:
        stores.execute(f"DROP OWNED BY {user}", f"DROP ROLE {user}")


@pytest.mark.faults("postgresql")
@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://nobody_known:hunter2@127.0.0.1:{port}/postgres", "STORE_DENIED"),
        ("postgresql://postgres:hunter2@127.0.0.1:{port}/no_such_database", "STORE_DENIED"),
        ("postgresql://postgres:hunter2@127.0.0.1:1/postgres", "STORE_UNREACHABLE"),
        ("postgresql+psycopg://postgres:hunter2@127.0.0.1:{port}/postgres?nonsense=1", "STORE_INVALID"),
        ("hunter2", "STORE_INVALID"),
        ("postgresql://postgres:hunter2@127.0.0.1:port/postgres", "STORE_INVALID"),
    ],
)
def test_a_connection_that_fails_is_told_without_its_password(url: str, code: str, stores: Any) -> None:
    error = failure(stores.open(url=url.format(port=stores.server.port)))
    assert error.code == code
    assert "hunter2" not in str(error) + str(error.__cause__)
    assert error.hint


@pytest.mark.faults("postgresql")
def test_a_value_the_view_cannot_read_is_refused_without_quoting_it(stores: Any) -> None:
    stores.execute(
        "CREATE TABLE platform (number text)",
        "INSERT INTO platform VALUES ('Quispe Mamani')",
        "CREATE VIEW contacts AS SELECT 1::bigint AS contact_id, timestamptz '2026-11-01Z' AS started_at,"
        " 'UTC' AS time_zone, 'CALL' AS contact_type, number::bigint AS score FROM platform",
    )
    with pytest.raises(DefinitionError, match=r"(?s)STORE_INVALID.*InvalidTextRepresentation, 22P02") as caught:
        stores.keys(Filter(field="score", operator="at_least", value=1))
    assert "Quispe" not in str(caught.value) + repr(caught.value.__cause__)


@pytest.mark.faults("postgresql")
def test_a_server_that_goes_away_is_a_transient_error(stores: Any, make_contact: Contact) -> None:
    stores.write([make_contact(1)])
    database = Database(stores.server.url, "contacts", 60)
    with pytest.raises(TransientError, match="STORE_UNREACHABLE"), reading(database) as session:
        with stores.server.connect() as connection:
            connection.execute("SELECT pg_terminate_backend(%s)", [session.connection.info.backend_pid])
        session.rows("SELECT 1")


@pytest.mark.faults("postgresql")
def test_a_database_of_another_encoding_is_refused(stores: Any, tmp_path: Path) -> None:
    options = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    with stores.server.new_database(options) as other:
        store = PostgresContactStore(Database(other.url, "contacts", 60), LocalStorage(tmp_path), scratch=tmp_path)
        assert "its encoding is LATIN1, not UTF8" in failure(store).message


# --- opening -----------------------------------------------------------------------------------------------------


def test_settings_open_a_store_whose_objects_lie_elsewhere(stores: Any, make_contact: Contact, tmp_path: Path) -> None:
    stores.write([make_contact(1)])
    settings = PostgresStore(type="postgres", connection="db", objects="../calls", table=f"{stores.schema}.contacts")
    store = open_contact_store(settings, base=tmp_path / "x", scratch=tmp_path, database_url=stores.server.url)
    assert store.check().contacts == 1
    assert store.objects.uri == (tmp_path / "calls").as_uri()
    with pytest.raises(DefinitionError, match="CONNECTION_UNKNOWN"):
        open_contact_store(settings, base=tmp_path, scratch=tmp_path)


@pytest.mark.parametrize("name", ['a"b', "a.b.c", "a b", "", "a?"])
def test_a_table_name_that_could_be_sql_is_not_taken(name: str) -> None:
    with pytest.raises(ValueError, match="table"):
        PostgresStore(type="postgres", connection="db", objects="x", table=name)


# Characters both sides know: Unicode 13 and older, whatever Python runs.
CHARACTERS = [
    chr(code)
    for code in range(1, sys.maxunicode + 1)
    if unicodedata.ucd_3_2_0.category(chr(code)) not in {"Cn", "Cs", "Co"}
]


def test_the_server_folds_every_character_as_filters_do(stores: Any) -> None:
    folded = DIALECTS[stores.open().dialect].fold.format("character")
    with psycopg.connect(stores.server.url) as connection:
        query = f"SELECT character, {folded} FROM unnest(%s::text[]) AS given (character)"
        rows = connection.execute(query, [CHARACTERS]).fetchall()
    assert len(rows) == len(CHARACTERS) > 90_000
    assert [character for character, database in rows if database != fold(character)] == []


@pytest.mark.parametrize("term", ["s", "ı i", "straße", "οδός", "東京"])
def test_the_server_finds_words_beside_every_character_as_duckdb_does(term: str, stores: Any) -> None:
    wanted = [words_of(term)]
    bodies = [f"{term}{char} z" for char in CHARACTERS] + [term.replace("s", char) for char in CHARACTERS[:20_000]]
    ours, theirs = DIALECTS[stores.open().dialect], DIALECTS["duckdb"]
    found = f"SELECT body FROM (SELECT unnest(?) AS body) WHERE {theirs.matches.format('body')}"
    by_duckdb = duckdb.execute(found, [bodies, *theirs.patterns(wanted)]).fetchall()
    found = "SELECT body FROM unnest(%s::text[]) AS given (body) WHERE " + ours.matches.format("body")
    with psycopg.connect(stores.server.url) as connection:
        by_server = connection.execute(found.replace("?", "%s"), [bodies, *ours.patterns(wanted)]).fetchall()
    assert len(by_server) > 1000
    assert sorted(by_server) == sorted(by_duckdb)
