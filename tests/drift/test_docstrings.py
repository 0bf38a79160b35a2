"""The first line of every public docstring is short enough to be read at a glance."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
FOLDERS = ("include", "plugins", "dags", "scripts")
MAX_WORDS = 12

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def public(node: Documented, name: str) -> Iterator[tuple[str, Documented]]:
    """A module, its public classes and functions, and their public methods."""
    yield name, node
    if isinstance(node, ast.Module | ast.ClassDef):
        for child in node.body:
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and child.name[0] != "_":
                yield from public(child, f"{name}.{child.name}")


def long_first_lines(source: str) -> list[str]:
    return [
        f"{name}: {first}"
        for name, node in public(ast.parse(source), "module")
        if len((first := (ast.get_docstring(node) or "").partition("\n")[0]).split()) > MAX_WORDS
    ]


def test_no_first_line_is_longer_than_twelve_words() -> None:
    found = {
        str(path.relative_to(PROJECT)): lines
        for folder in FOLDERS
        for path in sorted((PROJECT / folder).rglob("*.py"))
        if (lines := long_first_lines(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('"""' + "word " * 12 + '"""', 0),
        ('"""' + "word " * 13 + '"""', 1),
        ('"""Short.\n\n' + "word " * 40 + '"""', 0),
        ('class A:\n    def b(self):\n        """' + "word " * 13 + '"""', 1),
        ('def _a():\n    """' + "word " * 13 + '"""', 0),
    ],
)
def test_only_public_first_lines_count(source: str, count: int) -> None:
    assert len(long_first_lines(source)) == count
