"""Saved searches through the pages: built, checked in place, previewed with care, saved."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bulk_export.definitions.loader import load_definitions
from bulk_export.fields import Kind
from bulk_export.filters.operators import OPERATORS, Operator, Shape
from bulk_export_console import filter_forms

if TYPE_CHECKING:
    from conftest import Console

CALLS = {"field": "contact_type", "operator": "is_any_of", "value": ["CALL"]}
INCOMPLETE = {"field": "predictive_net_promoter_score", "operator": "equals"}
HOSTILE = "</script><img src=x onerror=alert(1)>"


def page(console: Console, path: str) -> str:
    answer = console.client().get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def embedded(text: str, id: str) -> Any:
    return json.loads(text.split(f'id="{id}">')[1].split("</script>")[0])


def test_the_builder_offers_every_field_with_the_operators_that_fit_it(console: Console) -> None:
    fields = {field["key"]: field for field in embedded(page(console, "/searches/new"), "fields")}
    assert {"started_at", "text", "has_audio", "metadata.account-key", "survey_score"} <= set(fields)
    assert fields["contact_type"]["values"][:2] == ["CALL", "NON_CALL"]
    assert ["between", "PAIR"] in fields["call_duration"]["operators"]
    assert ["contains", "ONE"] not in fields["call_duration"]["operators"]
    operators = embedded(page(console, "/searches/new"), "operators")
    assert {name for field in fields.values() for name, _ in field["operators"]} == set(operators)


def test_one_more_operator_is_offered_by_the_builder_without_another_edit(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    condition = OPERATORS["not_contains"].condition(Kind.TEXT)
    more = Operator("not_starts_with", "does not start with", "begins otherwise", {Kind.TEXT: condition})
    monkeypatch.setitem(OPERATORS, more.name, more)
    text = page(console, "/searches/new")
    fields = {field["key"]: field for field in embedded(text, "fields")}
    assert ["not_starts_with", "ONE"] in fields["last_name"]["operators"]
    assert ["not_starts_with", "ONE"] in fields["metadata.account-key"]["operators"]
    assert "not_starts_with" not in dict(fields["score"]["operators"])
    assert embedded(text, "operators")["not_starts_with"] == "does not start with"
    filters = [{"field": "last_name", "operator": "not_starts_with", "value": "Nú"}]
    answer = console.client().post("/searches/check", json={"filters": filters}).json()
    assert answer["problems"] == []


def test_the_script_has_inputs_for_every_shape_of_operands() -> None:
    script = (Path(filter_forms.__file__).parent / "static/operands.js").read_text(encoding="utf-8")
    assert {shape.name for shape in Shape} == set(re.findall(r'shape [!=]== "([A-Z]+)"', script))


def test_an_incomplete_filter_is_marked_in_place_and_nothing_is_counted(console: Console) -> None:
    answer = console.client().post("/searches/check", json={"filters": [CALLS, INCOMPLETE]}).json()
    assert answer == {"problems": [{"index": 1, "message": "value is missing"}]}
    assert console.client().post("/searches/check", json={"filters": []}).json()["problems"][0]["index"] is None
    complete = console.client().post("/searches/check", json={"filters": [CALLS]}).json()
    assert complete["problems"] == []
    assert complete["matches"]["matched"] == 5


def test_a_search_is_saved_as_people_write_it_even_while_it_is_incomplete(console: Console) -> None:
    client = console.client()
    created = client.post("/searches", json={"name": "Détracteurs", "filters": [CALLS, INCOMPLETE]})
    assert created.status_code == 201
    path = console.bench.definitions / "searches/detracteurs.yaml"
    assert path.read_text() == (
        "name: Détracteurs\nfilters:\n  - {field: contact_type, operator: is_any_of, value: [CALL]}\n"
        "  - {field: predictive_net_promoter_score, operator: equals}\n"
    )
    assert "Incomplete" in page(console, "/searches")
    body = {"form": {"name": "Détracteurs", "filters": [CALLS]}, "seen": created.json()["etag"]}
    assert client.put("/searches/detracteurs", json=body).status_code == 200
    assert load_definitions(console.bench.definitions).problems == ()
    assert client.put("/searches/detracteurs", json=body).status_code == 409
    assert [event.action for event in (*console.events("created"), *console.events("edited"))] == ["created", "edited"]
    assert console.refreshes == ["asked", "asked"]


@pytest.mark.faults("requests")
def test_what_was_saved_comes_back_into_the_builder_and_hostile_values_stay_text(console: Console) -> None:
    filters = [
        {"field": "subject", "operator": "contains", "value": HOSTILE},
        {"field": "started_at", "operator": "between", "value": ["2026-11-01", "2026-11-02"], "time_zone": "contact"},
        {"field": "hr", "operator": "is", "value": False},
        {"field": "score", "operator": "at_least", "value": 1.5},
    ]
    client = console.client()
    client.post("/searches", json={"name": HOSTILE, "filters": filters})
    (id,) = [id for id in load_definitions(console.bench.definitions).searches if id != "everything"]
    text = page(console, f"/searches/{id}")
    assert "<img" not in text
    assert "<img" not in page(console, "/searches")
    assert [
        {key: value for key, value in item.items() if value is not None} for item in embedded(text, "filters")
    ] == filters


def test_a_preview_shows_the_oldest_as_the_csv_does_masks_recycled_ones_and_is_logged(console: Console) -> None:
    bench = console.bench
    rows = [bench.call(number, last_name="Núñez", subject="=1+1", contact_type="EMAIL") for number in range(1, 61)]
    rows[1] |= {"recycled": True}
    rows[2] |= {"is_root": True}
    bench.contacts(rows)
    everything = {"field": "last_name", "operator": "equals", "value": "Núñez"}
    answer = console.client().post("/searches/preview", json={"filters": [everything]}).json()
    assert answer["matched"] == 59
    assert len(answer["rows"]) == 50
    shown = [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]
    assert [row["Contact ID"] for row in shown][:3] == ["1", "2", "4"]
    assert (shown[0]["Last Name"], shown[0]["Subject"]) == ("Núñez", "'=1+1")
    assert {value for name, value in shown[1].items() if name != "Contact ID"} == {"######"}
    event = console.events("previewed")[0]
    assert (event.who, event.subject) == ("ada", "contacts")
    assert event.detail == "50 of 59 contacts; filters: last_name equals"


def test_a_preview_writes_its_line_in_the_event_log_and_nothing_else(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import func, select

    from bulk_export.state.tables import metadata

    console.bench.run(console.bench.export("nightly"))
    engine = console.bench.site().engine
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    def content() -> dict[str, Any]:
        files = (path for path in console.bench.root.rglob("*") if path.is_file() and "state.db" not in path.name)
        found: dict[str, Any] = {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
        with engine.connect() as connection:
            return found | {
                name: connection.scalar(select(func.count()).select_from(table))
                for name, table in metadata.tables.items()
            }

    before = content()
    assert console.client().post("/searches/preview", json={"filters": [CALLS]}).status_code == 200
    assert content() == before | {"events": before["events"] + 1}
    assert console.client().post("/searches/check", json={"filters": [CALLS]}).status_code == 200
    assert content() == before | {"events": before["events"] + 1}
    assert list(scratch.iterdir()) == []


@pytest.mark.faults("requests")
@pytest.mark.slow
def test_previews_are_limited_and_only_for_those_who_may_export(console: Console) -> None:
    from bulk_export_console.context import PREVIEWS_PER_MINUTE

    body = {"filters": [CALLS]}
    assert console.client("vera").post("/searches/preview", json=body).status_code == 403
    answers = [console.client().post("/searches/preview", json=body).status_code for _ in range(PREVIEWS_PER_MINUTE)]
    assert set(answers) == {200}
    refused = console.client().post("/searches/preview", json=body)
    assert (refused.status_code, refused.json()["code"]) == (429, "PREVIEW_LIMIT")


def test_a_search_that_an_export_uses_is_not_deleted(console: Console) -> None:
    client = console.client()
    created = client.post("/searches", json={"name": "Calls", "filters": [CALLS]}).json()
    console.bench.export("nightly", search="calls")
    body = {"seen": created["etag"]}
    refused = client.request("DELETE", "/searches/calls", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "IN_USE")
    console.bench.export("nightly")
    assert client.request("DELETE", "/searches/calls", json=body).status_code == 200


def test_a_store_that_cannot_be_read_is_reported_in_words(console: Console) -> None:
    (console.bench.root / "store/contacts/contacts.parquet").write_bytes(b"not parquet")
    answer = console.client().post("/searches/check", json={"filters": [CALLS]})
    assert answer.status_code == 422
    assert "contacts/contacts.parquet" in answer.text
