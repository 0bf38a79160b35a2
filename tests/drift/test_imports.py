"""Who may import whom, read from the sources of the whole product."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import import_graph
from bulk_export.pipeline import STAGES
from import_graph import Edge, Graph, When, circles

PROJECT = Path(__file__).resolve().parents[2]

WORDS = ("error_codes", "errors", "fields", "process", "quota", "reasons", "sizes", "suggestions", "time_zones")
VOCABULARY = {f"bulk_export.{name}" for name in WORDS}

# These ask Airflow's own tables, which no module of the product describes.
ASK_AIRFLOW = {"bulk_export_airflow.refresh", "bulk_export_airflow.maintenance_status"}


@pytest.fixture(scope="module")
def graph() -> Graph:
    found = import_graph.read(PROJECT)
    assert {"bulk_export.pipeline", "bulk_export_airflow.tasks", "bulk_export_console.app", "saved_exports"} <= set(
        found.modules
    )
    return found


def breaches(graph: Graph, source: str, *targets: str) -> list[str]:
    """Imports that a part of the product makes of something it must not know."""
    return [str(edge) for edge in graph.imported if within(edge.source, source) and within(edge.target, *targets)]


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_no_module_imports_itself_in_a_circle(graph: Graph) -> None:
    assert circles(graph.arrows(typing=True)) == []


def test_packages_import_each_other_in_one_direction(graph: Graph) -> None:
    assert circles(graph.arrows(rooms=True)) == []


def test_imports_are_at_the_top_of_every_module_but_those_that_start_quickly(graph: Graph) -> None:
    late = [edge for edge in graph.imported if edge.when is When.CALL]
    assert [edge for edge in late if edge.source == "bulk_export.pipeline"]
    assert [str(edge) for edge in late if not within(edge.source, "bulk_export.pipeline", "bulk_export.cli")] == []


def test_the_product_knows_neither_airflow_nor_its_adapter_nor_the_pages(graph: Graph) -> None:
    others = ("airflow", "bulk_export_airflow", "bulk_export_console", "bulk_export_plugin")
    assert breaches(graph, "bulk_export", *others) == []
    assert breaches(graph, "bulk_export_sample", *others) == []
    assert breaches(graph, "bulk_export_airflow", "bulk_export_console", "bulk_export_plugin") == []


def test_the_vocabulary_imports_nothing_but_itself(graph: Graph) -> None:
    arrows = graph.arrows(typing=True)
    assert set(graph.modules) > VOCABULARY
    assert [(source, target) for source, target in arrows if source in VOCABULARY and target not in VOCABULARY] == []


def test_made_up_contacts_are_no_part_of_the_product(graph: Graph) -> None:
    users = {edge.source for edge in graph.imported if within(edge.target, "bulk_export_sample")}
    assert {name for name in users if not within(name, "bulk_export_sample")} == {"bulk_export.cli.sample_store"}


def test_nothing_is_imported_from_the_dags_folder(graph: Graph) -> None:
    dags = {name for name, module in graph.modules.items() if module.path.parent == PROJECT / "dags"}
    assert len(dags) >= 4
    assert [str(edge) for edge in graph.edges if edge.target in dags] == []


def test_stages_are_called_by_the_pipeline_alone(graph: Graph) -> None:
    stages = tuple(f"bulk_export.stages.{name}" for name in STAGES)
    assert set(stages) <= set(graph.modules)
    users = {edge.source for edge in graph.edges if edge.target in stages}
    assert {name for name in users if not within(name, "bulk_export.stages")} == {"bulk_export.pipeline"}


def test_the_pages_hold_no_sql_on_our_tables(graph: Graph) -> None:
    assert breaches(graph, "bulk_export_console", "bulk_export.state.tables", "bulk_export.state.database") == []
    statements = [
        edge
        for edge in graph.imported
        if within(edge.source, "bulk_export_console")
        and within(edge.target, "sqlalchemy")
        # An engine is handed from the context to functions of the product.
        and edge.target != "sqlalchemy.Engine"
    ]
    assert [str(edge) for edge in statements] == []


def test_airflow_s_own_tables_are_asked_by_two_modules_which_know_none_of_ours(graph: Graph) -> None:
    models = {edge.source for edge in graph.imported if within(edge.target, "airflow.models")}
    assert models == ASK_AIRFLOW
    assert [breach for module in ASK_AIRFLOW for breach in breaches(graph, module, "bulk_export.state")] == []


def test_no_module_changes_where_python_looks_for_modules(graph: Graph) -> None:
    assert [f"{name}:{line}" for name, module in graph.modules.items() for line in uses_of_sys_path(module.tree)] == []


def uses_of_sys_path(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "path" and ast.unparse(node.value) == "sys":
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "sys" and "path" in {name.name for name in node.names}:
            yield node.lineno


def test_the_architecture_names_every_room_of_the_product(graph: Graph) -> None:
    page = (PROJECT / "docs/architecture.md").read_text(encoding="utf-8")
    section = page.partition("## Packages")[2].partition("\n## ")[0]
    column = " ".join(re.findall(r"^\|([^|]*)\|", section, re.MULTILINE))
    rooms = {name.partition(".")[2] for name in graph.rooms() if name.startswith("bulk_export.")}
    assert set(re.findall(r"`(\w+)`", column)) == rooms


SOURCES = {
    "include/bulk_export/__init__.py": "from .pipeline import run\n",
    "include/bulk_export/pipeline.py": "def run():\n    from bulk_export.stages import copy\n",
    "include/bulk_export/stages/__init__.py": "",
    "include/bulk_export/stages/copy.py": "import os\nfrom ..pipeline import run\n",
    "plugins/console/__init__.py": "",
    "plugins/console/app.py": (
        "from typing import TYPE_CHECKING\nfrom bulk_export.stages.copy import thing\n"
        "if TYPE_CHECKING:\n    from console.pages import Page\n"
    ),
    "plugins/console/pages.py": "import console.app\nimport sys\nsys.path.append('x')\n",
}


@pytest.fixture
def small(tmp_path: Path) -> Graph:
    for name, source in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return import_graph.read(tmp_path)


def test_an_import_is_found_wherever_it_is_made(small: Graph) -> None:
    assert small.arrows() == {
        ("bulk_export", "bulk_export.pipeline"),
        ("bulk_export.pipeline", "bulk_export.stages.copy"),
        ("bulk_export.stages.copy", "bulk_export.pipeline"),
        ("console.app", "bulk_export.stages.copy"),
        ("console.pages", "console.app"),
    }
    assert small.arrows(typing=True) - small.arrows() == {("console.app", "console.pages")}
    assert Edge("bulk_export.pipeline", "bulk_export.stages.copy", 2, When.CALL) in small.edges


def test_a_circle_is_found_also_one_of_types_and_one_of_rooms(small: Graph) -> None:
    assert circles(small.arrows()) == [["bulk_export.pipeline", "bulk_export.stages.copy"]]
    assert circles(small.arrows(typing=True)) == [
        ["bulk_export.pipeline", "bulk_export.stages.copy"],
        ["console.app", "console.pages"],
    ]
    assert circles(small.arrows(rooms=True)) == [["bulk_export.pipeline", "bulk_export.stages"]]


def test_a_change_of_the_path_is_found(small: Graph) -> None:
    assert [name for name, module in small.modules.items() if [*uses_of_sys_path(module.tree)]] == ["console.pages"]


def test_circles_of_one_knot_are_one_group() -> None:
    assert circles([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("e", "d"), ("f", "a")]) == [
        ["a", "b", "c"],
        ["d", "e"],
    ]
