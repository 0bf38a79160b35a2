"""Count the modules, packages, imports and import circles of a checkout.

`make graph` prints the figures that docs/architecture.md shows; tests/drift/test_imports.py holds what must stay so.
The sources are read, never imported, so that another checkout can be counted too: `import_graph.py CHECKOUT`.
"""

from __future__ import annotations

import argparse
import ast
import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

ROOTS = ("include", "plugins", "dags")
# Its modules and packages are rooms of their own; each other top-level package is one room.
PRODUCT = "bulk_export"


class When(Enum):
    """When an import is carried out."""

    START = "at the top"
    CALL = "inside a function"
    TYPING = "for types only"


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """One import statement's name: who imports what, and on which line."""

    source: str
    target: str
    line: int
    when: When

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target} {self.when.value}"


@dataclass(frozen=True, slots=True)
class Module:
    """A Python file of the product.

    Attributes:
        name: its dotted name, as it is imported.
        path: where it is.
        tree: its parsed source.
        lines: lines of the file.
        is_package: whether it is the `__init__.py` of a package.
    """

    name: str
    path: Path
    tree: ast.Module
    lines: int
    is_package: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """The product's modules and everything they import."""

    modules: Mapping[str, Module]
    edges: tuple[Edge, ...]
    imported: tuple[Edge, ...]

    def arrows(self, *, typing: bool = False, rooms: bool = False) -> set[tuple[str, str]]:
        """Pairs of who imports whom, each once.

        Args:
            typing: also imports for types only.
            rooms: between rooms, not between modules.
        """
        ends = ((edge.source, edge.target) for edge in self.edges if typing or edge.when is not When.TYPING)
        named = ((room(source), room(target)) if rooms else (source, target) for source, target in ends)
        return {(source, target) for source, target in named if source != target}

    def rooms(self) -> set[str]:
        """The names of all rooms."""
        return {room(name) for name in self.modules}


def room(module: str) -> str:
    """Room of a module: part of the product, or its top-level name.

    `bulk_export.storage.s3` is in `bulk_export.storage`, `bulk_export_console.routes.audit` in `bulk_export_console`.
    """
    parts = module.split(".")
    return ".".join(parts[:2] if parts[0] == PRODUCT else parts[:1])


def read(checkout: Path) -> Graph:
    """The graph of a checkout of the project."""
    modules = {module.name: module for root in ROOTS for module in _modules(checkout / root)}
    imported = tuple(sorted((edge for module in modules.values() for edge in _imports(module)), key=_order))
    inside = (
        Edge(edge.source, target, edge.line, edge.when)
        for edge in imported
        if (target := _nearest(edge.target, modules)) is not None and target != edge.source
    )
    return Graph(modules, tuple(sorted(inside, key=_order)), imported)


def circles(arrows: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Find strongly connected components of two or more names, after Tarjan."""
    after: dict[str, list[str]] = {}
    for source, target in sorted(arrows):
        after.setdefault(source, []).append(target)
        after.setdefault(target, [])
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        path.append(name)
        for target in after[name]:
            if target not in number:
                visit(target)
                lowest[name] = min(lowest[name], lowest[target])
            elif target in path:
                lowest[name] = min(lowest[name], number[target])
        if lowest[name] == number[name]:
            start = path.index(name)
            if len(path) - start > 1:
                found.append(sorted(path[start:]))
            del path[start:]

    for name in after:
        if name not in number:
            visit(name)
    return sorted(found)


def _order(edge: Edge) -> tuple[str, int, str]:
    return edge.source, edge.line, edge.target


def _modules(root: Path) -> Iterator[Module]:
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        source = path.read_text(encoding="utf-8")
        name = ".".join(parts[:-1] if is_package else parts)
        yield Module(name, path, ast.parse(source), source.count("\n"), is_package)


def _imports(module: Module) -> Iterator[Edge]:
    """Every name a module imports, whoever it belongs to."""

    def visit(node: ast.AST, when: When) -> Iterator[Edge]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Edge(module.name, alias.name, child.lineno, when) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                base = _absolute(module, child)
                yield from (Edge(module.name, f"{base}.{alias.name}", child.lineno, when) for alias in child.names)
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from visit(child, When.CALL)
            elif isinstance(child, ast.If) and ast.unparse(child.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
                yield from visit(child, When.TYPING)
            else:
                yield from visit(child, when)

    return visit(module.tree, When.START)


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    """The dotted name that `from ... import` names, also of a relative import."""
    if not node.level:
        return node.module or ""
    here = module.name.split(".") if module.is_package else module.name.split(".")[:-1]
    return ".".join([*here[: len(here) - node.level + 1], *([node.module] if node.module else [])])


def _nearest(name: str, modules: Mapping[str, Module]) -> str | None:
    """The module that an imported name is, or is in; None for other people's."""
    while name:
        if name in modules:
            return name
        name = name.rpartition(".")[0]
    return None


def report(graph: Graph) -> str:
    """The figures of a graph, a line each."""
    sizes = [module.lines for module in graph.modules.values()]
    plain, rooms = graph.arrows(), graph.arrows(rooms=True)
    typed, typed_rooms = graph.arrows(typing=True), graph.arrows(typing=True, rooms=True)
    late = sorted({edge.source for edge in graph.imported if edge.when is When.CALL})
    lines = [
        f"lines of Python        {sum(sizes):,}",
        f"lines of a module      {statistics.median(sizes):.0f} (median), {max(sizes)} (most)",
        f"modules, packages      {len(sizes)}, {sum(module.is_package for module in graph.modules.values())}",
        f"imports of modules     {len(plain)}, with types {len(typed)}",
        f"rooms                  {len(graph.rooms())}",
        f"imports of rooms       {len(rooms)}, with types {len(typed_rooms)}",
        f"late importers         {len(late)}",
    ]
    for name, arrows in (
        ("circles of modules", plain),
        ("  with types", typed),
        ("circles of rooms", rooms),
        ("  with types", typed_rooms),
    ):
        found = circles(arrows)
        lines.append(
            f"{name:<23}{len(found)}{': ' if found else ''}{', '.join(' ↔ '.join(circle) for circle in found)}"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the figures of a checkout, this one unless another is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    print(report(read(parser.parse_args().checkout)))


if __name__ == "__main__":
    main()
