"""The lock belongs to the requirements: `make lock` was not forgotten."""

from __future__ import annotations

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]


def pins(file: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", (PROJECT / file).read_text(), re.M):
        found.setdefault(re.sub(r"[._]", "-", name.lower()), set()).add(version)
    return found


def test_every_direct_requirement_is_locked_at_its_version() -> None:
    locked = pins("constraints.txt")
    assert {name: locked.get(name) for name in pins("requirements.txt")} == pins("requirements.txt")


def test_every_locked_package_has_its_hashes() -> None:
    blocks = re.split(r"^(?=[A-Za-z0-9])", (PROJECT / "constraints.txt").read_text(), flags=re.M)
    packages = [block for block in blocks if "==" in block.partition("\n")[0]]
    assert len(packages) > 100
    assert [block.partition("\n")[0] for block in packages if "--hash=sha256:" not in block] == []
