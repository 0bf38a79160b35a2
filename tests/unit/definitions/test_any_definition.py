"""Whatever stands in a definition file, the answer is definitions or problems in words."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.cli import main
from bulk_export.contacts.schema import canonical_schema
from bulk_export.definitions.loader import load_definitions
from bulk_export.definitions.models import Filter
from bulk_export.errors import DefinitionError
from bulk_export.fields import CONTACT_TYPES
from bulk_export.filters.compile import compile_filters
from bulk_export.filters.completeness import problems
from bulk_export.filters.field_catalog import field_catalog

SETTINGS = {
    "environment": {"name": "acme"},
    "licence": {"type": "standard"},
    "contact_store": {"type": "parquet", "uri": "store"},
    "storage_locations": {"archive": {"type": "local", "path": "exports"}},
    "staging": {"type": "local", "path": "staging"},
    "state": {"url": "sqlite:///state.db"},
}
SEARCH = {"name": "One", "filters": [{"field": "score", "operator": "at_least", "value": 3}]}
EXPORT = {
    "name": "One",
    "search": "one",
    "storage_location": "archive",
    "media": {"audio_only": "mp3"},
    "transcripts": "json",
    "schedule": {"weekly": {"days": ["mon"], "time": "02:30"}, "time_zone": "America/Bogota"},
    "csv": {"profile": "excel"},
    "notify": {"email": ["a@b.example"]},
}
FILES = {"settings.yaml": SETTINGS, "searches/one.yaml": SEARCH, "exports/one.yaml": EXPORT}

TEXTS = st.text(max_size=30) | st.sampled_from(
    ["\0", "\ud800", "none", "0 0 31 2 *", "* * * * *", "25:00", "\u202e", "~"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)


def places(value: object, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a definition at which something else could stand."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, item in inner for found in places(item, (*place, key)))]


def changed(value: object, place: tuple[str | int, ...], to: object) -> object:
    if not place:
        return to
    if isinstance(value, dict):
        return {key: changed(item, place[1:], to) if key == place[0] else item for key, item in value.items()}
    assert isinstance(value, list)
    return [changed(item, place[1:], to) if key == place[0] else item for key, item in enumerate(value)]


@st.composite
def files(draw: st.DrawFn) -> dict[str, bytes]:
    """Three definition files, one of them with any value at any place, or with any bytes."""
    broken = draw(st.sampled_from(sorted(FILES)))
    written = {name: json.dumps(content).encode() for name, content in FILES.items()}
    if draw(st.integers(0, 3)) == 0:
        written[broken] = draw(
            st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))
        )
    else:
        place = draw(st.sampled_from(places(FILES[broken])))
        content = changed(FILES[broken], place, draw(VALUES))
        written[broken] = json.dumps(content, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")
    return written


@settings(deadline=None, derandomize=True, max_examples=100)
@given(files())
def test_any_value_anywhere_gives_definitions_or_problems(written: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in written.items():
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_bytes(content)

        definitions = load_definitions(folder)

        loaded = {
            "settings.yaml": definitions.settings,
            "searches/one.yaml": definitions.searches.get("one"),
            "exports/one.yaml": definitions.exports.get("one"),
        }
        blocked = {problem.file for problem in definitions.problems if problem.blocks_loading}
        assert {file for file, definition in loaded.items() if definition is None} == blocked
        assert all(problem.message and str(problem) for problem in definitions.problems)
        assert main(["--definitions", name, "validate"]) == (2 if definitions.problems else 0)


FIELDS = field_catalog(["account-key"])
DAYS = st.sampled_from(["2026-11-01", "2026-11-23T08:00", "0001-01-01", "9999-12-31T23:59:59Z", "2026-02-30", "now"])
OPERANDS = (
    st.none()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.booleans()
    | TEXTS
    | DAYS
    | st.sampled_from(CONTACT_TYPES)
    | st.dates(date(1900, 1, 1))
    | st.datetimes()
)
FILTERS = st.builds(
    Filter,
    field=st.none() | st.sampled_from(sorted(FIELDS)) | st.text(max_size=10),
    operator=st.none() | st.sampled_from(sorted({name for field in FIELDS.values() for name in field.operators})),
    value=OPERANDS | st.lists(OPERANDS, max_size=3) | st.dictionaries(st.text(max_size=3), OPERANDS, max_size=1),
    time_zone=st.none() | st.sampled_from(["contact", "Europe/Madrid", "Mars/Olympus", "", "../etc/localtime"]),
)
FITTING = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda key: st.builds(
        Filter,
        field=st.just(key),
        operator=st.sampled_from(FIELDS[key].operators),
        value=OPERANDS | st.lists(OPERANDS, min_size=1, max_size=3),
        time_zone=st.none() | st.sampled_from(["contact", "Asia/Kolkata"]),
    )
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.lists(FILTERS | FITTING, max_size=3))
def test_any_filters_are_incomplete_in_words_or_sql_that_runs(filters: list[Filter]) -> None:
    found = problems(filters, FIELDS)
    as_of = datetime(2026, 11, 23, 8, tzinfo=UTC)
    try:
        selection = compile_filters(filters, as_of=as_of, zone="America/Bogota", catalog=FIELDS)
    except DefinitionError as error:
        assert (error.code, bool(found)) == ("FILTER_INCOMPLETE", True)
        return
    assert not found
    empty_store().execute(f"SELECT * FROM contacts WHERE {selection.sql}", list(selection.parameters)).fetchall()


def empty_store() -> duckdb.DuckDBPyConnection:
    """A catalogue with one contact of which nothing is known."""
    types = {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE"}
    columns = [f'"{field.name}" {types.get(str(field.type), "TIMESTAMP")}' for field in canonical_schema((), True)]
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE contacts ({', '.join(columns)}, metadata MAP(VARCHAR, VARCHAR))")
    connection.execute("INSERT INTO contacts (contact_id) VALUES (1)")
    return connection
