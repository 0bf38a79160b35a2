"""Every environment variable that is read is documented, and none that is not."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import import_graph
import make_env
from import_graph import Graph

PROJECT = Path(__file__).resolve().parents[2]
OURS = re.compile(r"BULK_EXPORT_[A-Z_]+")
# What a container's shell knows of itself.
GIVEN = {"HOSTNAME"}


def documented(page: str) -> set[str]:
    """The variables in the first column of the table of environment variables, and of other tables with that head."""
    text = (PROJECT / "docs" / page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| environment variable \|.*\n\|[-| ]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert rows, page
    cells = [line.split("|")[1] for block in rows for line in block.splitlines()]
    return {name for cell in cells for name in re.findall(r"`([A-Z_]+)(?:<NAME>)?`", cell)}


def constants(graph: Graph) -> set[str]:
    """Texts of the product's sources that are the name of a variable of its own."""
    return {
        node.value
        for module in graph.modules.values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and OURS.fullmatch(node.value)
    }


def read_from_environment(tree: ast.AST) -> Iterator[str]:
    """Names of variables that a test reads: `os.environ.get("NAME")` or `os.environ["NAME"]`."""
    for node in ast.walk(tree):
        found: ast.AST | None = None
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"os.environ.get", "os.getenv"}:
            found = node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            found = node.slice
        if isinstance(found, ast.Constant) and isinstance(found.value, str):
            yield found.value


def test_the_products_own_variables_are_those_of_the_table() -> None:
    used = constants(import_graph.read(PROJECT))
    assert "BULK_EXPORT_DEFINITIONS" in used
    table = documented("operations.md")
    assert {name for name in table if OURS.fullmatch(name)} == used
    assert "AIRFLOW_CONN_" in table


def test_what_the_compose_file_asks_for_is_in_the_table_or_made_by_make_env() -> None:
    text = (PROJECT / "docker-compose.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\$\{([A-Z_0-9]+)", text)) - GIVEN
    made = set(make_env.made())
    assert made <= asked
    table = documented("operations.md")
    assert asked - made <= table
    assert {name for name in table if not name.startswith(("BULK_EXPORT_", "AIRFLOW_CONN_"))} == asked - made


def test_variables_of_the_tests_are_in_their_table() -> None:
    read = {
        name
        for path in (PROJECT / "tests").rglob("*.py")
        for name in read_from_environment(ast.parse(path.read_text(encoding="utf-8")))
        if name != "PATH" and not name.startswith("AIRFLOW")
    }
    assert "BULK_EXPORT_TEST_POSTGRES" in read
    assert read == documented("contributing.md")
