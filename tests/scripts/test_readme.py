"""What the two README files tell a newcomer to type is typed here, and what they point at is there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bulk_export_sample import make_sample_store

PROJECT = Path(__file__).resolve().parents[2]
READMES = ("README.md", "README.es.md")
PROGRAM = str(Path(sys.executable).with_name("bulk-export"))
# Tried by whoever runs them: they would start this very test again, or an Airflow.
TARGETS = ("make demo", "make test")


def blocks(text: str, language: str) -> list[str]:
    """Fenced blocks, also indented ones of a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", text, re.MULTILINE | re.DOTALL)
    return ["\n".join(line.removeprefix(indent) for line in body.splitlines()) for indent, body in found]


def commands(name: str) -> list[str]:
    lines = "\n".join(blocks((PROJECT / name).read_text(), "sh")).splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.strip()]


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder as it is after `make demo`: a store, and one export that has run."""
    root = tmp_path_factory.mktemp("newcomer")
    shutil.copytree(PROJECT / "include/definitions", root / "include/definitions")
    make_sample_store(root / "var/store", contacts=60, seed=7, until=datetime.now(UTC))
    done = typed("bulk-export run weekly-detractors", root)
    assert done.returncode == 0, done.stderr
    return root


def typed(command: str, root: Path) -> subprocess.CompletedProcess[str]:
    """A line as a newcomer types it, in a folder of its own."""
    program = f"{PROGRAM} --definitions {root}/include/definitions"
    line = command.replace(".venv/bin/bulk-export", "bulk-export").replace("bulk-export", program, 1)
    [directory, *_] = [*(root / "var/exports/Weekly-detractors").glob("*/"), root]
    where = directory if command.startswith("sha256sum") else root
    return subprocess.run(["sh", "-c", line], cwd=where, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("name", READMES)
@pytest.mark.slow
def test_every_command_works_in_the_order_it_is_read(newcomer: Path, name: str) -> None:
    search, export = (block for block in blocks((PROJECT / name).read_text(), "yaml"))
    (newcomer / "include/definitions/searches/complaints.yaml").write_text(search)
    (newcomer / "include/definitions/exports/complaints.yaml").write_text(export)
    ran = 0
    for command in commands(name):
        if command in TARGETS:
            wanted = subprocess.run(["make", "-n", *command.split()[1:]], cwd=PROJECT, capture_output=True, check=False)
            assert wanted.returncode == 0, command
            continue
        done = typed(command, newcomer)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        ran += 1
    assert ran >= 7


@pytest.mark.parametrize("name", READMES)
def test_what_it_points_at_is_there(name: str) -> None:
    text = (PROJECT / name).read_text()
    links = [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (PROJECT / link).exists()] == []
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z-]+)`", text)) <= targets


def test_both_say_the_same_commands_and_show_the_same_pictures() -> None:
    english, spanish = (PROJECT / name for name in READMES)
    assert commands("README.md") == commands("README.es.md")
    pictures = re.compile(r"!\[[^]]*\]\(([^)]+)\)")
    assert pictures.findall(english.read_text()) == pictures.findall(spanish.read_text())
    heading = re.compile(r"^#{1,3} ", re.MULTILINE)
    assert len(heading.findall(english.read_text())) == len(heading.findall(spanish.read_text()))
