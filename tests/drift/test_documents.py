"""Documents are reachable, and point at what exists: files, headings, make targets, modules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PAGES = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").glob("*.md"), *(PROJECT / "benchmarks").glob("*.md")])
README = PROJECT / "README.md"
# What the README has its reader write.
WRITTEN = {"include/definitions/searches/complaints.yaml", "include/definitions/exports/complaints.yaml"}
# Tells what was, under the names of its day.
HISTORY = {"CHANGELOG.md", "upgrade.md"}


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files that a page links to, each with the heading it means, if any."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" not in target and not target.startswith("mailto:"):
            path, _, heading = target.partition("#")
            yield (page.parent / path).resolve() if path else page, heading


def anchors(page: Path) -> set[str]:
    """The names by which GitHub knows a page's headings."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(scope="module")
def sources() -> frozenset[str]:
    folders = ("include", "plugins", "dags", "scripts", "tests", "deploy", "benchmarks")
    return frozenset(f"/{path.relative_to(PROJECT)}" for folder in folders for path in (PROJECT / folder).rglob("*.*"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_link_is_dead(page: Path) -> None:
    assert [str(path) for path, _ in links(page) if not path.exists()] == []
    assert [
        f"{path.name}#{name}" for path, name in links(page) if name and path.exists() and name not in anchors(path)
    ] == []


def test_every_document_is_reached_from_the_readme() -> None:
    reached, open_pages = {README}, [README]
    while open_pages:
        found = {path for path, _ in links(open_pages.pop()) if path.suffix == ".md" and path.exists()}
        open_pages += found - reached
        reached |= found
    assert [page.name for page in (PROJECT / "docs").glob("*.md") if page not in reached] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in HISTORY], ids=lambda page: page.name)
def test_every_path_named_exists(page: Path) -> None:
    """Paths in code font from the project's own folders, such as `include/bulk_export/pipeline.py`."""
    folders = "include|plugins|dags|scripts|tests|docs|deploy|benchmarks"
    named = re.findall(rf"`((?:{folders})/[\w./*<>-]*)`", page.read_text(encoding="utf-8"))
    definite = {name for name in named if not re.search(r"[<>*]", name)} - WRITTEN
    assert [name for name in definite if not (PROJECT / name).exists()] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in HISTORY], ids=lambda page: page.name)
def test_every_module_named_exists(page: Path, sources: frozenset[str]) -> None:
    """Modules and scripts in code font by the end of their path, such as `filters/dialect.py`."""
    named = set(re.findall(r"`([\w/]+\.(?:py|js|css|sh))`", page.read_text(encoding="utf-8")))
    assert [name for name in named if not any(source.endswith(f"/{name}") for source in sources)] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in HISTORY], ids=lambda page: page.name)
def test_every_make_target_named_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE)) <= targets
