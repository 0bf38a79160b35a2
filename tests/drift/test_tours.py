"""Each package's docstring is the tour of it: it names every module, and none that is gone.

A module is named in backticks, as `module` or `module.py`, a package as `package` or `package/`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(init.parent for root in ("include", "plugins") for init in (PROJECT / root).rglob("__init__.py"))

# One module per revision, each named by its number.
WITHOUT_TOUR = {"include/bulk_export/state/migrations/versions"}


def named_in(tour: str) -> set[str]:
    """Every name in backticks, without `.py` or `/`."""
    return set(re.findall(r"`([a-z][a-z0-9_]*)(?:\.py|/)?`", tour))


def claimed_by(tour: str) -> set[str]:
    """The names that must be modules: `module.py`, `package/`, and those in the first column of a table."""
    column = " ".join(re.findall(r"^\|([^|]*)\|", tour, re.MULTILINE))
    return set(re.findall(r"`([a-z][a-z0-9_]*)(?:\.py|/)`", tour)) | named_in(column)


def parts(package: Path) -> Iterator[str]:
    for path in package.iterdir():
        if path.suffix == ".py" and not path.name.startswith("__"):
            yield path.stem
        if (path / "__init__.py").exists():
            yield path.name


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_the_tour_names_every_module_and_none_that_is_gone(package: Path) -> None:
    name = str(package.relative_to(PROJECT))
    if name in WITHOUT_TOUR:
        pytest.skip("it needs none")
    tour = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    assert sorted(set(parts(package)) - named_in(tour)) == []
    folders = {path.name for path in package.iterdir() if path.is_dir()}
    assert claimed_by(tour) - set(parts(package)) - folders == set()


def test_a_tour_is_read_from_backticks() -> None:
    tour = "`a.py`, `b_c/`: see `other/d.py`, `e` and f.py\n| module | has |\n|---|---|\n| `g`, `h` | what `i` has |"
    assert named_in(tour) == {"a", "b_c", "e", "g", "h", "i"}
    assert claimed_by(tour) == {"a", "b_c", "g", "h"}
