"""Every operator of every kind of field selects exactly what a plain Python reading of docs/definitions.md selects."""

from __future__ import annotations

import math
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bulk_export.contacts.base import ContactStore
from bulk_export.contacts.parquet import ParquetContactStore
from bulk_export.contacts.postgres import PostgresContactStore
from bulk_export.contacts.postgres_session import Database
from bulk_export.definitions.models import Filter
from bulk_export.fields import STATES, Kind
from bulk_export.filters.compile import compile_filters
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.filters.operators import OPERATORS, Shape
from bulk_export.storage.local import LocalStorage
from postgres_server import PostgresServer, load_table, sql_type

AS_OF = datetime(2026, 11, 18, 15, 30, tzinfo=UTC)
HOME = "America/Bogota"
ZONES = ("America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Madrid", HOME, "UTC")
FIELDS = field_catalog(["account-key"])

# --- what contacts hold ------------------------------------------------------------------------------------------

LETTERS = "aAbBsSiIzZ ñÑéÉe\u0301ßẞΣσςİДд٣7%_'\"\\.-,;$\t\n😀"
texts = st.text(LETTERS, max_size=6)
clean_texts = st.text(LETTERS, min_size=1, max_size=3).filter(str.strip)
words = st.lists(st.text("aAsSßñÑn\u0303ΣςİiД7'-", min_size=1, max_size=3), min_size=1, max_size=12).map(" ".join)
minutes = st.integers(-80 * 24 * 60, 2 * 24 * 60).map(lambda gap: AS_OF + timedelta(minutes=gap))
edges = st.sampled_from([AS_OF, AS_OF - timedelta(microseconds=1), datetime(2026, 11, 1, 6, tzinfo=UTC)])
moments = minutes | edges
ratios = st.sampled_from([0.0, 0.07, 0.3, 0.5, 0.99, 1.0, math.nan]) | st.floats(0, 1)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


contacts = st.fixed_dictionaries(
    {
        "started_at": moments,
        "updated_at": maybe(moments),
        "time_zone": st.sampled_from([*ZONES, "Mars/Base"]),
        "last_name": maybe(texts),
        "text": maybe(words | texts),
        "metadata": maybe(st.dictionaries(st.sampled_from(["account-key", "other"]), maybe(texts), max_size=2)),
        "contact_id": st.just(0),
        "score": maybe(st.integers(-3, 5) | st.sampled_from([2**53, 2**53 + 1])),
        "call_duration": maybe(st.integers(0, 7300)),
        "silence_ratio": maybe(ratios),
        "net_promoter_score": maybe(st.floats(-100, 100) | st.sampled_from([7.5, -0.0])),
        "hr": maybe(st.booleans()),
        "recycled": maybe(st.booleans()),
        "state": maybe(st.sampled_from([*STATES, ""])),
        "date_evaluated": maybe(st.dates(date(2026, 9, 25), date(2026, 11, 20))),
        "audio_uri": maybe(st.sampled_from(["", "media/1.wav"])),
    }
)
MOMENT = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    {
        "contact_id": pa.int64(),
        "started_at": MOMENT,
        "updated_at": MOMENT,
        "time_zone": pa.string(),
        "contact_type": pa.string(),
        "last_name": pa.string(),
        "text": pa.string(),
        "metadata": pa.map_(pa.string(), pa.string()),
        "score": pa.int64(),
        "call_duration": pa.int64(),
        "silence_ratio": pa.float64(),
        "net_promoter_score": pa.float64(),
        "hr": pa.bool_(),
        "recycled": pa.bool_(),
        "state": pa.string(),
        "date_evaluated": pa.date32(),
        "audio_uri": pa.string(),
    }
)

# --- what filters say --------------------------------------------------------------------------------------------

days = st.dates(date(2026, 10, 1), date(2026, 11, 20))
# Never a wall time that a change of clocks skips or repeats: those have tests of their own.
times = st.builds(lambda day, hour: f"{day}T{hour}", days, st.sampled_from(["12:00", "06:00:30", "18:45"]))
offset_times = st.builds(lambda day: f"{day}T02:00:00+05:45", days)
clock = st.integers(0, 7300).map(lambda s: f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}")


def operand(field: str, operator: str) -> st.SearchStrategy[Any]:
    shape = OPERATORS[operator].shape
    if shape is Shape.NOTHING:
        return st.none()
    if shape is Shape.COUNT:
        return st.integers(1, 40)
    if shape in {Shape.WORDS, Shape.PHRASE}:
        found = st.text("aAsSßñÑΣςİiД7' ", min_size=1, max_size=5).filter(lambda text: any(map(str.isalnum, text)))
        term = found.filter(lambda text: all(any(map(str.isalnum, part)) for part in text.split()))
        return term if shape is Shape.PHRASE else term | st.lists(term, min_size=1, max_size=3)
    one = ONE[FIELDS[field].kind]
    if shape is Shape.PAIR:
        return st.tuples(one, one).map(lambda pair: sorted(pair, key=lambda item: ordered(field, item)))
    return st.lists(one, min_size=1, max_size=3) if shape is Shape.MANY else one


ONE: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.TEXT: clean_texts,
    Kind.INTEGER: st.integers(-3, 5) | st.sampled_from([0.5, 2.5, 3.0, 2**53, 2**53 + 1]),
    Kind.DURATION: st.integers(0, 7300) | clock,
    Kind.RATIO: st.sampled_from([0, 0.07, 0.3, 0.5, 1]) | st.floats(0, 1),
    Kind.DECIMAL: st.floats(-100, 100) | st.sampled_from([7.5, 0, 8]),
    Kind.YES_NO: st.booleans(),
    Kind.ENUM: st.sampled_from(STATES),
    Kind.DATE: days.map(str) | days,
    Kind.TIMESTAMP: days.map(str) | times | offset_times | days,
}


def ordered(field: str, value: Any) -> Any:
    if FIELDS[field].kind in {Kind.DATE, Kind.TIMESTAMP}:
        point = point_of(value)
        at = datetime(point.year, point.month, point.day) if not isinstance(point, datetime) else point
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return seconds(value)


# --- the plain Python reading ------------------------------------------------------------------------------------


def seconds(value: Any) -> Any:
    if isinstance(value, str) and value[2] == ":":
        hours, minute, second = value.split(":")
        return int(hours) * 3600 + int(minute) * 60 + int(second)
    return value


def same(text: str) -> str:
    return unicodedata.normalize("NFC", text).replace("İ", "i").casefold()


def tokens(text: str) -> list[str]:
    kept = (char if unicodedata.category(char)[0] in "LNM" else " " for char in same(text))
    return "".join(kept).split()


def has_phrase(body: str, phrase: str) -> bool:
    found, wanted = tokens(body), tokens(phrase)
    return any(found[at : at + len(wanted)] == wanted for at in range(len(found)))


def text_meets(value: str | None, operator: str, wanted: Any) -> bool:
    if value is None:
        return operator in {"is_empty", "not_equals", "not_contains", "is_none_of"}
    have = same(value)
    values = [same(item) for item in (wanted if isinstance(wanted, list) else [wanted])] if wanted else [""]
    return {
        "equals": have == values[0],
        "not_equals": have != values[0],
        "contains": values[0] in have,
        "not_contains": values[0] not in have,
        "starts_with": have.startswith(values[0]),
        "ends_with": have.endswith(values[0]),
        "is_any_of": have in values,
        "is_none_of": have not in values,
        "is_empty": value == "",
        "is_not_empty": value != "",
    }[operator]


def words_meet(value: str | None, operator: str, wanted: Any) -> bool:
    if value is None:
        return operator == "none_of"
    terms = wanted if isinstance(wanted, list) else [wanted] if operator == "phrase" else wanted.split()
    hits = [has_phrase(value, term) for term in terms]
    return {"all_words": all(hits), "any_words": any(hits), "phrase": all(hits), "none_of": not any(hits)}[operator]


def number_meets(value: float | None, operator: str, wanted: Any) -> bool:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return operator in {"is_empty", "not_equals"}
    if operator in {"is_empty", "is_not_empty"}:
        return operator == "is_not_empty"
    if operator == "between":
        return bool(seconds(wanted[0]) <= value <= seconds(wanted[1]))
    limit = seconds(wanted)
    return {
        "equals": value == limit,
        "not_equals": value != limit,
        "less_than": value < limit,
        "at_most": value <= limit,
        "greater_than": value > limit,
        "at_least": value >= limit,
    }[operator]


def point_of(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)


def day_meets(day: date | None, operator: str, wanted: Any, today: date, since: date) -> bool:
    if day is None:
        return False
    low = point_of(wanted[0] if operator == "between" else wanted) if not isinstance(wanted, int) else None
    monday, month = today - timedelta(days=today.weekday()), today.replace(day=1)
    before_month = (month - timedelta(days=1)).replace(day=1)
    ahead = day > today
    answers: dict[str, Callable[[], bool]] = {
        "on": lambda: day == low,
        "before": lambda: day < low,
        "after": lambda: day > low,
        "on_or_before": lambda: day <= low,
        "on_or_after": lambda: day >= low,
        "between": lambda: low <= day <= point_of(wanted[1]),
        "today": lambda: day == today,
        "yesterday": lambda: day == today - timedelta(days=1),
        "this_week": lambda: day >= monday and not ahead,
        "last_week": lambda: monday - timedelta(days=7) <= day < monday,
        "this_month": lambda: day >= month and not ahead,
        "last_month": lambda: before_month <= day < month,
        "last_days": lambda: today - timedelta(days=wanted) <= day < today,
        "older_than_days": lambda: day < today - timedelta(days=wanted),
        "last_hours": lambda: since <= day <= today,
    }
    return answers[operator]()


def moment_meets(moment: datetime | None, operator: str, wanted: Any, zone: ZoneInfo) -> bool:
    if moment is None:
        return False
    if operator == "last_hours":
        return AS_OF - timedelta(hours=wanted) <= moment < AS_OF
    local = moment.astimezone(zone)
    relative = OPERATORS[operator].shape in {Shape.NOTHING, Shape.COUNT}
    if relative and moment >= AS_OF:
        return False
    bounds = [point_of(item) for item in (wanted if operator == "between" else [wanted])]
    if relative or not any(isinstance(bound, datetime) for bound in bounds):
        return day_meets(local.date(), operator, wanted, AS_OF.astimezone(zone).date(), AS_OF.date())
    if operator == "between":
        low_ok = moment_meets(moment, "on_or_after", wanted[0], zone)
        last = "before" if isinstance(bounds[1], datetime) else "on_or_before"
        return low_ok and moment_meets(moment, last, wanted[1], zone)
    limit = bounds[0]
    have = local if limit.tzinfo else local.replace(tzinfo=None)
    width = timedelta(seconds=1) if limit.second else timedelta(minutes=1)
    return {
        "on": limit <= have < limit + width,
        "before": have < limit,
        "after": have > limit,
        "on_or_before": have <= limit,
        "on_or_after": have >= limit,
    }[operator]


def meets(row: dict[str, Any], item: Filter) -> bool:
    field, operator, wanted = str(item.field), str(item.operator), item.value
    name = row["time_zone"] if item.time_zone == "contact" else item.time_zone or HOME
    zone = ZoneInfo(HOME if name == "Mars/Base" else name)
    if field == "text":
        return words_meet(row["text"], operator, wanted)
    if field == "has_audio":
        return bool(row["audio_uri"]) == wanted
    if field == "recycled":
        return bool(row["recycled"]) == wanted
    if field == "metadata.account-key":
        return text_meets((row["metadata"] or {}).get("account-key"), operator, wanted)
    value = row[field]
    kind = FIELDS[field].kind
    if kind is Kind.TEXT:
        return text_meets(value, operator, wanted)
    if kind is Kind.YES_NO:
        return value is not None and value == wanted
    if kind is Kind.ENUM:
        empty = value in {None, ""}
        listed = value is not None and value in (wanted or ())
        return {"is_empty": empty, "is_any_of": listed, "is_none_of": not listed}[operator]
    if kind is Kind.DATE:
        since = (AS_OF - timedelta(hours=wanted if operator == "last_hours" else 0)).astimezone(zone).date()
        return day_meets(value, operator, wanted, AS_OF.astimezone(zone).date(), since)
    if kind is Kind.TIMESTAMP:
        return moment_meets(value, operator, wanted, zone)
    return number_meets(value, operator, wanted)


# --- both sides --------------------------------------------------------------------------------------------------

CASES = [
    *("last_name", "metadata.account-key", "text", "score", "call_duration", "silence_ratio", "net_promoter_score"),
    *("hr", "recycled", "has_audio", "state", "date_evaluated", "started_at", "updated_at"),
]
stable = settings(
    max_examples=5, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


class Shelf(Protocol):
    """A kind of store that holds one set of contacts at a time."""

    def filled(self, rows: pa.Table) -> ContactStore: ...


class ParquetShelf:
    def __init__(self, root: Path) -> None:
        self.root = root

    def filled(self, rows: pa.Table) -> ContactStore:
        (self.root / "contacts").mkdir(exist_ok=True)
        pq.write_table(rows, self.root / "contacts" / "all.parquet", row_group_size=8)
        return ParquetContactStore(LocalStorage(self.root), scratch=self.root / "scratch", threads=1)


class PostgresShelf:
    def __init__(self, root: Path, server: PostgresServer) -> None:
        self.root, self.server = root, server
        columns = ", ".join(f"{field.name} {sql_type(field.type)}" for field in SCHEMA)
        self._execute(f"CREATE UNLOGGED TABLE contacts ({columns}, PRIMARY KEY (contact_id))")

    def _execute(self, statement: str) -> None:
        with self.server.connect() as connection:
            connection.execute(statement)

    def filled(self, rows: pa.Table) -> ContactStore:
        self._execute("DELETE FROM contacts")
        load_table(self.server, "contacts", rows)
        return PostgresContactStore(
            Database(self.server.url, "contacts", 60), LocalStorage(self.root), scratch=self.root
        )


@pytest.fixture(scope="module", params=["parquet", "postgres"])
def shelf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    root = tmp_path_factory.mktemp("shelf")
    if request.param == "parquet":
        yield ParquetShelf(root)
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.new_database() as own:
        yield PostgresShelf(root, own)


def check(shelf: Shelf, rows: list[dict[str, Any]], searches: list[list[Filter]]) -> None:
    rows = [{**row, "contact_id": number, "contact_type": "CALL"} for number, row in enumerate(rows)]
    store = shelf.filled(pa.Table.from_pylist(rows, SCHEMA))
    with tempfile.TemporaryDirectory() as name:
        into = Path(name) / "keys.parquet"
        for filters in searches:
            selection = compile_filters(filters, as_of=AS_OF, zone=HOME, catalog=FIELDS, dialect=store.dialect)
            matches = store.select_keys(selection, into)
            found = pq.read_table(into)["contact_id"].to_pylist()
            wanted = [row for row in rows if all(meets(row, item) for item in filters)]
            wanted.sort(key=lambda row: (row["started_at"], row["contact_id"]))
            assert found == [row["contact_id"] for row in wanted], filters
            assert matches.contacts == len(wanted)


def disguised(data: st.DataObject, text: str) -> str:
    """The text in another case, another normal form, or a part of it."""
    cut = data.draw(st.integers(0, max(0, len(text) - 1)))
    changes: list[Callable[[str], str]] = [
        str,
        str.swapcase,
        str.lower,
        lambda it: unicodedata.normalize("NFD", it),
        lambda it: it[cut:],
        lambda it: it[: cut + 1],
    ]
    return data.draw(st.sampled_from(changes))(text)


def stored_texts(rows: list[dict[str, Any]], field: str) -> list[str]:
    if field == "text":
        return [word for row in rows for word in (row["text"] or "").split() if any(map(str.isalnum, word))]
    found = [row[field] if field in row else (row["metadata"] or {}).get("account-key") for row in rows]
    return [text for text in found if text and text.strip()]


def value_for(data: st.DataObject, rows: list[dict[str, Any]], field: str, operator: str) -> Any:
    """An operand; for text mostly one that some contact nearly has, since chance alone would hardly hit."""
    shape = OPERATORS[operator].shape
    known = stored_texts(rows, field) if FIELDS[field].kind in {Kind.TEXT, Kind.WORDS} else []
    if not known or shape is Shape.NOTHING or data.draw(st.integers(0, 3)) == 0:
        return data.draw(operand(field, operator))
    usable = st.sampled_from(known).map(lambda text: disguised(data, text))
    if field == "text":
        usable = usable.filter(lambda text: all(any(map(str.isalnum, part)) for part in text.split() or [""]))
    else:
        usable = usable.filter(str.strip)
    listed = shape in {Shape.MANY, Shape.WORDS}
    return data.draw(st.lists(usable, min_size=1, max_size=3) if listed else usable)


def filters_on(data: st.DataObject, rows: list[dict[str, Any]], field: str, operator: str) -> Filter:
    zoned = FIELDS[field].kind in {Kind.DATE, Kind.TIMESTAMP}
    zone = data.draw(st.sampled_from([None, "contact", *ZONES])) if zoned else None
    value = value_for(data, rows, field, operator)
    return Filter(field=field, operator=operator, value=value, time_zone=zone)


@pytest.mark.parametrize("field", CASES)
@stable
@given(rows=st.lists(contacts, min_size=5, max_size=30), data=st.data())
@pytest.mark.slow
def test_every_operator_selects_what_python_selects(
    field: str, shelf: Shelf, rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    check(shelf, rows, [[filters_on(data, rows, field, operator)] for operator in FIELDS[field].operators])


@stable
@given(rows=st.lists(contacts, min_size=20, max_size=60), data=st.data())
def test_all_filters_of_a_search_must_be_met(shelf: Shelf, rows: list[dict[str, Any]], data: st.DataObject) -> None:
    searches = []
    for _ in range(5):
        fields = data.draw(st.lists(st.sampled_from(CASES), min_size=2, max_size=3))
        searches.append(
            [filters_on(data, rows, field, data.draw(st.sampled_from(FIELDS[field].operators))) for field in fields]
        )
    check(shelf, rows, searches)


def test_the_cases_cover_every_kind_of_field_and_every_operator() -> None:
    assert {FIELDS[case].kind for case in CASES} == set(Kind)
    covered = {operator for case in CASES for operator in FIELDS[case].operators}
    assert covered == {operator for field in FIELDS.values() for operator in field.operators}
