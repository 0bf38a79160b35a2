"""A search that no contact store would answer in time is refused with the limit it exceeds."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest

from bulk_export.definitions.models import Filter
from bulk_export.filters.compile import compile_filters
from bulk_export.filters.completeness import problems
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.filters.limits import MAX_CONTACT_ZONE_FILTERS, MAX_FILTERS, MAX_SEARCH_WORDS, MAX_WORDS
from bulk_export.filters.preview import text_preview
from bulk_export.filters.words import body_pattern

FIELDS = field_catalog([])


def words(count: int, *, first: int = 0) -> list[str]:
    return [f"palabra{number}" for number in range(first, first + count)]


def texts(filters: int, each: int, operator: str = "all_words") -> list[Filter]:
    return [Filter(field="text", operator=operator, value=words(each, first=index * each)) for index in range(filters)]


def said(filters: list[Filter]) -> list[str]:
    return [str(problem) for problem in problems(filters, FIELDS)]


@pytest.mark.faults("requests")
def test_too_many_filters_are_refused_by_number() -> None:
    filters = [Filter(field="score", operator="equals", value=1)] * (MAX_FILTERS + 1)
    assert said(filters) == ["filters: the search has 51 filters; at most 50 are allowed"]
    assert said(filters[1:]) == []


@pytest.mark.faults("requests")
@pytest.mark.parametrize("operator", ["all_words", "any_words", "none_of"])
def test_too_many_words_are_refused_by_number(operator: str) -> None:
    filters = texts(6, 50, operator)
    assert said(filters) == ["filters: the search has 300 words in its filters on text; at most 250 are allowed in all"]
    assert said(filters[1:]) == []
    assert said(texts(100, 50, operator)) == ["filters: the search has 100 filters; at most 50 are allowed"]


def test_too_many_filters_in_the_contacts_own_zones_are_refused_by_number() -> None:
    filters = [Filter(field="started_at", operator="last_days", value=7, time_zone="contact")] * 11
    assert said(filters) == [
        "filters: the search has 11 filters in each contact's own time zone; at most 10 are allowed"
    ]
    assert said(filters[1:]) == []
    assert len(filters) - 1 == MAX_CONTACT_ZONE_FILTERS


def test_the_entries_of_a_value_are_counted_before_they_are_read() -> None:
    assert said([Filter(field="text", operator="any_words", value=["palabra"] * 1_000_000)]) == [
        "filters[0] text any_words: value has 1000000 entries, at most 50 words are allowed"
    ]
    [first, *_, last] = said([Filter(field="contact_type", operator="is_any_of", value=["CAL"] * 900)])
    assert "Did you mean 'CALL'?" in first
    assert last.endswith("value has 880 more entries that were not looked at")


def test_the_largest_search_is_one_query_that_a_database_takes() -> None:
    filters = texts(MAX_SEARCH_WORDS // MAX_WORDS, MAX_WORDS)
    filters += [Filter(field="started_at", operator="last_days", value=7, time_zone="contact")] * 2
    selection = compile_filters(filters, as_of=datetime(2026, 11, 23, tzinfo=UTC), zone="UTC", catalog=FIELDS)
    with duckdb.connect() as connection:
        connection.execute(
            "CREATE TABLE contacts AS SELECT TIMESTAMP '2026-11-22' AS started_at, 'UTC' AS time_zone, ? AS text",
            [" ".join(words(MAX_SEARCH_WORDS))],
        )
        query = f"SELECT count(*) FROM contacts WHERE {selection.sql}"
        assert connection.execute(query, list(selection.parameters)).fetchall() == [(1,)]


def test_words_share_their_boundaries() -> None:
    assert body_pattern([("uno",), ("dos",), ("tres", "cuatro")]).count(r"(?:^|[^\pL\pN\pM])") == 1
    assert len(body_pattern([(word,) for word in words(MAX_WORDS)])) < 1_000


def test_a_preview_looks_only_for_the_words_that_are_there() -> None:
    body = "relleno " * 2_000 + "STRAẞE " + "palabra7 al final"
    assert "STRAẞE" in (
        text_preview(body, [*texts(5, 50), Filter(field="text", operator="phrase", value="strasse")]) or ""
    )
    assert text_preview(body, texts(1, 7)) is None
