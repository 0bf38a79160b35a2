"""Every way a filter can be incomplete, in the words people read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bulk_export.definitions.models import Filter
from bulk_export.errors import DefinitionError
from bulk_export.filters.compile import compile_filters
from bulk_export.filters.completeness import problems
from bulk_export.filters.field_catalog import field_catalog

FIELDS = field_catalog(["account-key", "service-key"])


def said(*filters: Filter) -> list[str]:
    return [str(problem) for problem in problems(filters, FIELDS)]


def one(field: str | None, operator: str | None, value: object = None, time_zone: str | None = None) -> str:
    found = said(Filter(field=field, operator=operator, value=value, time_zone=time_zone))
    assert len(found) <= 1, found
    return found[0] if found else ""


COMPLETE: Sequence[tuple[str, str, object]] = [
    ("score", "equals", 80),
    ("score", "at_most", 80.5),
    ("score", "is_empty", None),
    ("silence_ratio", "between", [0, 1]),
    ("net_promoter_score", "less_than", -12.5),
    ("call_duration", "at_least", "00:01:30"),
    ("call_duration", "between", ["00:01:30", 3600]),
    ("call_duration", "less_than", "100:00:00"),
    ("last_name", "contains", "100%_'\";--"),
    ("agent_id", "is_any_of", ["0012", "0013"]),
    ("metadata.account-key", "equals", "x"),
    ("hr", "is", True),
    ("recycled", "is", "no"),
    ("has_transcript", "is", False),
    ("contact_type", "is_any_of", ["CALL", "CHAT"]),
    ("recording_type", "is_none_of", ["None"]),
    ("sentiment_score", "is_empty", None),
    ("started_at", "on", "2026-11-01"),
    ("started_at", "between", ["2026-11-01", "2026-11-01"]),
    ("started_at", "between", ["2026-11-01T08:00", "2026-11-02"]),
    # The second day is included, so it ends after the first moment.
    ("started_at", "between", ["2026-11-01T08:00", "2026-11-01"]),
    ("started_at", "between", ["2026-11-01T23:59:59.999999", "2026-11-01"]),
    ("started_at", "between", ["2026-11-01T23:00-05:00", "2026-11-01"]),
    # Nobody knows here in which zone the one without an offset is read: in Bogotá 06:00 is 11:00 UTC.
    ("started_at", "between", ["2026-11-01T08:00Z", "2026-11-01T06:00"]),
    ("started_at", "between", ["2026-11-01T13:00", "2026-11-01T00:00Z"]),
    ("started_at", "between", ["0001-01-01T00:00+14:00", "9999-12-31"]),
    ("date_evaluated", "between", ["2026-11-01", "2026-11-01"]),
    ("started_at", "after", date(2026, 11, 1)),
    ("updated_at", "after", datetime(2026, 11, 1, 8)),
    ("started_at", "before", "2026-11-01T08:00:00.5+05:30"),
    ("started_at", "last_days", 7),
    ("date_evaluated", "on_or_after", "2026-11-01"),
    ("date_evaluated", "this_month", None),
    ("text", "all_words", "refund cancel"),
    ("text", "any_words", ["refund", "money back"]),
    ("text", "phrase", "money back"),
    ("text", "none_of", "don't"),
]

INCOMPLETE: Sequence[tuple[str | None, str | None, object, str]] = [
    ("predictive_net_promoter_score", "equals", None, "value is missing"),
    ("last_name", "equals", "  ", "value is missing"),
    ("last_name", "is_any_of", [], "value is missing"),
    ("last_name", "is_any_of", ["a", None], r"value\[1\] is missing"),
    (None, "equals", 1, r"^filters\[0\] equals: field is missing"),
    ("score", None, 1, "operator is missing; score takes equals, not_equals"),
    ("scor", "equals", 1, "field 'scor' does not exist. Did you mean 'score'?"),
    ("Contact_Type", "is_any_of", ["CALL"], "Did you mean 'contact_type'?"),
    ("date", "on", "2026-11-01", "filter on 'started_at'"),
    ("text_preview", "contains", "a", "filter on 'text'"),
    ("is_root", "is", True, "does not exist"),
    ("audio_uri", "contains", "a", "does not exist"),
    ("metadata.acount-key", "equals", "a", "Did you mean 'metadata.account-key'?"),
    ("metadata.zzz", "equals", "a", "settings.yaml exportable_metadata"),
    ("score", "less", 1, "operator 'less' does not fit score.*Did you mean 'less_than'?"),
    ("hr", "equals", True, "operator 'equals' does not fit hr, which takes is"),
    ("started_at", "is_empty", None, "does not fit started_at"),
    ("score", "equals", "80", "value is text, not a number"),
    ("score", "equals", True, "value is yes/no, not a number"),
    ("score", "equals", float("nan"), "not a finite number"),
    ("silence_ratio", "equals", float("-inf"), "not a finite number"),
    ("score", "equals", 10**400, "too large a number"),
    ("score", "equals", 1e300, "too large a number"),
    ("score", "equals", {"a": 1}, "value is a mapping, not a number"),
    ("score", "equals", [1], "value is a list, not a number"),
    ("score", "between", 5, r"value is a number, not a list of two, \[low, high\]"),
    ("score", "between", [1], "value is a list of 1, not a list of two"),
    ("score", "between", [1, None], r"value\[1\] is missing"),
    ("score", "between", [8, 5], "value is reversed: '8' comes after '5'"),
    ("silence_ratio", "greater_than", 85, "not between 0 and 1: 85 % is written 0.85"),
    ("call_duration", "less_than", "1:75:00", 'write "HH:MM:SS" or seconds'),
    ("call_duration", "less_than", "90", 'write "HH:MM:SS" or seconds'),
    ("call_duration", "less_than", -1, "is negative"),
    ("call_duration", "between", ["01:00:00", 60], "reversed"),
    ("hr", "is", "maybe", "'maybe' is not yes or no"),
    ("hr", "is", 1, "'1' is not yes or no"),
    ("contact_type", "is_any_of", "CALL", r"value is text, not a list such as \[a, b\]"),
    ("contact_type", "is_any_of", ["call"], "'call' is not one of CALL.*Did you mean 'CALL'?"),
    ("contact_type", "is_any_of", ["CALL", "CHAP"], r"value\[1\] 'CHAP' is not one of.*Did you mean 'CHAT'?"),
    ("state", "is_none_of", [3], r"value\[0\] is a number, not one of Unscored"),
    ("agent_id", "equals", 1001, "value is a number, not text: put it in quotes"),
    ("agent_id", "equals", "a" * 1001, "at most 1000 are allowed"),
    ("agent_id", "is_any_of", ["a"] * 1001, "at most 1000 are allowed"),
    ("agent_id", "equals", "\ud800", "not valid Unicode"),
    ("last_name", "is_empty", "x", "is_empty takes no value"),
    ("started_at", "today", 3, "today takes no value"),
    ("started_at", "on", "01/11/2026", "'01/11/2026' is not a day such as 2026-11-01"),
    ("started_at", "on", "2026-02-30", "'2026-02-30' is not a real day or time"),
    ("started_at", "on", 20261101, "not a day such as"),
    ("started_at", "between", ["2026-11-02", "2026-11-01"], "reversed"),
    ("started_at", "between", ["2026-11-02T08:00Z", "2026-11-02T09:00+02:00"], "reversed"),
    ("started_at", "between", ["2026-11-02T00:00", "2026-11-01"], "reversed"),
    ("started_at", "between", ["2026-11-01T08:01", "2026-11-01T08:00"], "reversed"),
    ("started_at", "between", ["2026-11-02T08:01", "2026-11-01T08:00Z"], "reversed"),
    ("started_at", "between", ["2026-11-03T00:00Z", "2026-11-01"], "reversed"),
    ("started_at", "between", ["9999-12-31T23:59-12:00", "0001-01-01"], "reversed"),
    ("date_evaluated", "between", ["2026-11-02", "2026-11-01"], "reversed"),
    ("started_at", "last_days", 0, "whole number from 1 to"),
    ("started_at", "last_days", 7.5, "'7.5', not a whole number"),
    ("started_at", "last_days", True, "not a whole number"),
    ("started_at", "last_hours", 10**30, "whole number from 1 to"),
    ("date_evaluated", "on", "2026-11-01T08:00", "this field holds days"),
    ("text", "phrase", "!!! …", "has no letter or digit to search for"),
    ("text", "any_words", 7, "value is a number, not words"),
    ("text", "phrase", ["a"], "value is a list, not text"),
    ("text", "all_words", "a " * 51, "51 words, at most 50 are allowed"),
    ("text", "any_words", ["a b c"] * 17, "51 words, at most 50 are allowed"),
    ("text", "any_words", ["a" * 600, "b" * 600], "1200 characters, at most 1000 are allowed"),
]


@pytest.mark.parametrize(("field", "operator", "value"), COMPLETE)
def test_a_complete_filter_has_no_problem(field: str, operator: str, value: object) -> None:
    assert one(field, operator, value) == ""


@pytest.mark.parametrize(("field", "operator", "value", "message"), INCOMPLETE)
def test_an_incomplete_filter_says_what_is_missing(
    field: str | None, operator: str | None, value: object, message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(one(field, operator, value))


def test_the_message_names_the_filter_its_field_and_its_operator() -> None:
    complete = Filter(field="score", operator="equals", value=1)
    incomplete = Filter(field="predictive_net_promoter_score", operator="equals")
    assert said(complete, incomplete) == ["filters[1] predictive_net_promoter_score equals: value is missing"]


def test_a_search_without_filters_is_incomplete() -> None:
    assert said() == ["filters: the search has no filter; at least one is needed"]


def test_all_problems_are_told_at_once() -> None:
    filters = (
        Filter(),
        Filter(field="score", operator="equals", value="x", time_zone="Mars/Base"),
        Filter(field="contact_type", operator="is_any_of", value=["CAL", 1]),
    )
    assert [(problem.index, problem.message.split(" ")[0]) for problem in problems(filters, FIELDS)] == [
        (0, "field"),
        (0, "operator"),
        (1, "value"),
        (1, "time_zone"),
        (2, "value[0]"),
        (2, "value[1]"),
    ]


@pytest.mark.parametrize(
    ("zone", "message"),
    [
        ("contact", ""),
        ("Asia/Kathmandu", ""),
        ("America/Bogotá", "time_zone 'America/Bogotá' is neither .* Did you mean 'America/Bogota'?"),
        ("contacts", "Did you mean 'contact'?"),
        ("", "is neither 'contact' nor an IANA time zone"),
        ("../../etc/passwd", "is neither"),
    ],
)
def test_the_time_zone_is_known_or_the_contacts_own(zone: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message or "^complete$"):
        raise AssertionError(one("started_at", "today", time_zone=zone) or "complete")


def test_what_somebody_searches_for_in_text_is_never_repeated() -> None:
    assert "16125550100" not in one("calling_number", "equals", 16125550100)
    assert "Quispe" not in one("last_name", "is_empty", "Quispe")
    assert "Quispe" not in one("last_name", "equals", "Quispe" * 400)


def test_an_incomplete_search_does_not_compile() -> None:
    with pytest.raises(DefinitionError, match=r"filters\[0\] score equals: value is missing") as caught:
        compile_filters(
            [Filter(field="score", operator="equals")],
            as_of=datetime.fromisoformat("2026-11-18T00:00Z"),
            zone="UTC",
            catalog=FIELDS,
        )
    assert caught.value.code == "FILTER_INCOMPLETE"


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.dates() | st.datetimes()
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=2)
)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_any_yaml_value_gives_problems_or_a_selection(data: st.DataObject) -> None:
    field = data.draw(st.sampled_from(sorted(FIELDS)))
    operator = data.draw(st.sampled_from(FIELDS[field].operators))
    item = Filter(field=field, operator=operator, value=data.draw(anything))
    found = problems([item], FIELDS)
    try:
        selection = compile_filters(
            [item], as_of=datetime.fromisoformat("2026-11-18T00:00Z"), zone="UTC", catalog=FIELDS
        )
    except DefinitionError as error:
        assert found and error.code == "FILTER_INCOMPLETE"
    else:
        assert not found
        assert selection.sql.count("?") == len(selection.parameters)
