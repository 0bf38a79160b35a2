"""Register the pages: route, module, and where a reader comes from.

One table. The app takes its routers from it, the navigation its entries, in this order. Adding a page is a module in
`routes/`, a line here, a template, and its words in `es.json`. Every page asks for the permission to read, by the guard
of the whole app (`access.py`); a page that only some may use hides what they may not do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

from fastapi import APIRouter

from bulk_export_console.routes import audit, dag_tabs, exports, files, health, runs, searches

# Airflow itself links to the page, as a tab of a DAG or of a DAG run: `external_views` of the plugin.
AIRFLOW = "Airflow"


@dataclass(frozen=True, slots=True)
class Page:
    """A page: a GET route that answers with HTML.

    Attributes:
        path: of its route.
        module: of `routes`, with the `router` that has the route.
        label: its entry in the navigation, in English; empty for a page that is reached from another.
        reached_from: path of the page that links to it, or `AIRFLOW`; empty for one in the navigation.
    """

    path: str
    module: ModuleType
    label: str = ""
    reached_from: str = ""

    def __post_init__(self) -> None:
        if bool(self.label) == bool(self.reached_from):
            raise ValueError(f"{self.path}: a page is either in the navigation or reached from another")


PAGES = [
    Page("/audit", audit, label="Audit"),
    Page("/new", exports, label="New Export"),
    Page("/exports", exports, label="Saved Contact Export"),
    Page("/searches", searches, label="Saved Searches"),
    Page("/runs/{key}", runs, reached_from="/audit"),
    Page("/runs/{key}/files", files, reached_from="/runs/{key}"),
    Page("/exports/{id}", exports, reached_from="/exports"),
    Page("/searches/new", searches, reached_from="/searches"),
    Page("/searches/{id}", searches, reached_from="/searches"),
    Page("/health", health, reached_from="/audit"),
    Page("/dag/{dag_id}", dag_tabs, reached_from=AIRFLOW),
    Page("/dag-run/{dag_id}/{dag_run_id:path}", dag_tabs, reached_from=AIRFLOW),
]


def routers(pages: Sequence[Page]) -> Iterator[APIRouter]:
    """The router of every module, once."""
    for module in dict.fromkeys(page.module for page in pages):
        yield module.router


def navigation(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages of the navigation, in its order."""
    return tuple(page for page in pages if page.label)
