"""The registry of pages: what is in it has a route and a way to it, and nothing else is a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest
from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, Response
from workbench import NOW

from bulk_export_airflow.plugin import PREFIX, BulkExportPlugin
from bulk_export_console.pages import AIRFLOW, PAGES, Page
from bulk_export_console.rendering import page

if TYPE_CHECKING:
    from conftest import Console

LINK = re.compile(r'href="(/[^"#?]*)')


def page_routes(app: Any) -> dict[str, str]:
    """Module by path of every GET route that may answer with HTML."""
    return {
        route.path: route.endpoint.__module__
        for route in app.routes
        if isinstance(route, APIRoute)
        and "GET" in route.methods
        and get_type_hints(route.endpoint)["return"] in {HTMLResponse, Response}
    }


def shown(console: Console, path: str) -> str:
    answer = console.client().get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, (path, answer.text)
    return str(answer.text)


def entry_of(path: str) -> Page | None:
    """The registered page at a concrete path; one without parameters goes first, as its route does."""
    for one in sorted(PAGES, key=lambda each: "{" in each.path):
        pattern = re.sub(r"{\w+:path}", ".+", one.path)
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", pattern), path):
            return one
    return None


def test_every_page_is_registered_with_its_module(console: Console) -> None:
    assert page_routes(console.app) == {one.path: one.module.__name__ for one in PAGES}


def test_following_links_leads_from_the_navigation_to_every_page(console: Console) -> None:
    console.bench.run(console.bench.export("nightly"))
    console.last_maintenance_success = NOW  # or the health page answers 503
    waiting = [one.path for one in PAGES if one.label]
    visited: set[str] = set()
    links: set[tuple[str, str]] = set()
    while waiting:
        path = waiting.pop()
        source = entry_of(path)
        if source is None or path in visited:
            continue
        visited.add(path)
        for target in LINK.findall(shown(console, path)):
            if found := entry_of(target):
                links.add((source.path, found.path))
                waiting.append(target)
    declared = {(one.reached_from, one.path) for one in PAGES if one.reached_from not in {"", AIRFLOW}}
    assert declared - links == set()


def test_airflow_links_to_the_pages_that_are_its_tabs() -> None:
    views = [
        view["href"].removeprefix(PREFIX) for view in BulkExportPlugin.external_views if view["destination"] != "nav"
    ]
    assert [entry_of(path) for path in views] == [one for one in PAGES if one.reached_from == AIRFLOW]


def test_every_page_shows_the_navigation_in_the_order_of_the_registry(console: Console) -> None:
    listed = [(one.path, one.label) for one in PAGES if one.label]
    for path in (*(path for path, _ in listed), "/health", "/no-such-page"):
        text = console.client().get(path, headers={"Accept": "text/html"}).text
        tabs = text.split('<ul class="tabs">')[1].split("</ul>")[0]
        assert re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)<', tabs) == listed
        assert re.findall(r'<a href="([^"]+)" aria-current="page"', tabs) == [path for one, _ in listed if one == path]


def test_a_page_is_in_the_navigation_or_reached_from_another() -> None:
    with pytest.raises(ValueError, match="/x: a page is either in the navigation or reached from another"):
        Page("/x", ModuleType("x"))
    with pytest.raises(ValueError, match="/x: a page is either"):
        Page("/x", ModuleType("x"), label="X", reached_from="/audit")


@pytest.fixture
def extra_page() -> Iterator[Page]:
    module: Any = ModuleType("extra")
    module.router = APIRouter()

    @module.router.get("/extra")
    def extra(request: Request) -> HTMLResponse:
        return page(request, "other_dag.html")

    registered = Page("/extra", module, label="Extra")
    PAGES.append(registered)
    yield registered
    PAGES.remove(registered)


def test_a_page_that_is_registered_answers_and_is_in_the_navigation(extra_page: Page, console: Console) -> None:
    assert '<a href="/extra">Extra</a>' in shown(console, "/audit")
    assert '<a href="/extra" aria-current="page">Extra</a>' in shown(console, extra_page.path)
    assert console.client("").get("/extra").status_code == 401


@pytest.mark.parametrize("kind", ["exports", "searches"])
def test_an_id_that_no_file_can_have_is_not_found(console: Console, kind: str) -> None:
    client = console.client()
    answers = [
        client.get(f"/{kind}/a%00"),
        client.put(f"/{kind}/a%00", json={"form": {"name": "A"}, "seen": "x"}),
        client.request("DELETE", f"/{kind}/a%00", json={"seen": "x"}),
        client.get("/runs/a%00"),
    ]
    assert [answer.status_code for answer in answers] == [404] * 4
    assert client.get(f"/{kind}/new?copy=a%00").status_code == 422
    assert client.get("/audit?export=a%00").status_code == 422
