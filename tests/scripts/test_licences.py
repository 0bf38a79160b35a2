"""docs/licences.md lists exactly what the lock does, with what the installed packages say."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distributions
from pathlib import Path

from licences import ELSEWHERE, PAGE, licence, locked, normalised

PROJECT = Path(__file__).resolve().parents[2]
ROWS = {
    name: (version, said)
    for name, version, said in re.findall(
        r"^\| ([a-z0-9-]+) \| (\S+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.M
    )
    if name not in {"package", "---"}
}


def test_every_locked_package_is_listed_at_its_version_and_no_other() -> None:
    assert ROWS.keys() == locked().keys(), "run `make docs` after `make lock`"
    lock = (PROJECT / "constraints.txt").read_text()
    assert [name for name, (version, _) in ROWS.items() if f"=={version}" not in lock] == []


def test_every_installed_package_says_the_licence_that_is_listed() -> None:
    installed = {normalised(package.metadata["Name"]): package for package in distributions()}
    said = {name: licence(installed[name]).replace("|", "/") for name in ROWS if name in installed}
    listed = {name: text for name, (_, text) in ROWS.items() if name in installed and text != ELSEWHERE}
    assert {name: said[name] for name in listed} == listed


def test_every_package_has_a_licence() -> None:
    assert [name for name, (_, text) in ROWS.items() if text == "not said"] == []


def test_the_project_says_its_own_licence_by_its_spdx_identifier() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License" in (PROJECT / "LICENSE").read_text()[:300]
