"""The locks belong to the requirements, and those to the package's own ranges: `make lock` was not forgotten."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[1]
LOCKS = ("constraints.txt", "constraints-runtime.txt")


def pins(*files: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for file in files:
        text = (PROJECT / file).read_text()
        for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", text, re.M):
            found.setdefault(canonicalize_name(name), set()).add(version)
    return found


def section(heading: str) -> dict[str, str]:
    """The pins of requirements.txt below a heading, up to the next."""
    text = (PROJECT / "requirements.txt").read_text().partition(f"# --- {heading} ---\n")[2].partition("\n# ---")[0]
    return {
        canonicalize_name(name): version for name, version in re.findall(r"^([\w.-]+)(?:\[.*?\])?==(\S+)", text, re.M)
    }


def ranges(*extras: str) -> list[Requirement]:
    """What pyproject.toml asks for, with these extras."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return [wanted for line in lines if (wanted := Requirement(line)).name != project["name"]]


def test_every_direct_requirement_is_locked_at_its_version() -> None:
    asked = pins("requirements.txt", "requirements-dev.txt")
    locked = pins("constraints.txt")
    assert {name: locked.get(name) for name in asked} == asked


def test_what_runs_is_locked_alone_and_at_the_same_versions() -> None:
    asked, locked, whole = (pins(name) for name in ("requirements.txt", "constraints-runtime.txt", "constraints.txt"))
    assert {name: locked.get(name) for name in asked} == asked
    assert {name: versions - whole[name] for name, versions in locked.items() if versions - whole[name]} == {}
    assert not {"pytest", "mypy", "ruff", "playwright"} & set(locked)


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_its_hashes(lock: str) -> None:
    blocks = re.split(r"^(?=[A-Za-z0-9])", (PROJECT / lock).read_text(), flags=re.M)
    packages = [block for block in blocks if "==" in block.partition("\n")[0]]
    assert len(packages) > 100
    assert [block.partition("\n")[0] for block in packages if "--hash=sha256:" not in block] == []


def test_the_package_asks_for_what_is_pinned_here_and_for_nothing_else() -> None:
    asked = {canonicalize_name(wanted.name) for wanted in ranges("postgres")}
    assert asked == set(section("the product"))
    assert {canonicalize_name(wanted.name) for wanted in ranges("airflow")} - asked <= set(section("Airflow"))


def test_every_pin_is_inside_the_packages_own_range() -> None:
    pinned = pins("requirements.txt")
    outside = [
        str(wanted)
        for wanted in ranges("postgres", "airflow")
        if not all(version in wanted.specifier for version in pinned[canonicalize_name(wanted.name)])
    ]
    assert outside == []
