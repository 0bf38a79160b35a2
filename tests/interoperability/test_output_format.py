"""Every command and snippet of docs/output-format.md does what the document says, in a delivered directory."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from hostile import FIRST_ID, HOSTILE

DOCUMENT = Path(__file__).parents[2] / "docs/output-format.md"
BLOCKS = re.findall(r"^```(sh|python|sql)\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.M | re.S)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


@pytest.fixture
def run(
    request: pytest.FixtureRequest, hostile_runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A delivered directory, which is the current one, with the project's programs on the PATH."""
    profile = getattr(request, "param", "data")
    directory = shutil.copytree(hostile_runs[profile], tmp_path / "run")
    monkeypatch.chdir(directory)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    for kind, name in (("json", "schema.json"), ("xsd", "xsd")):
        command = [sys.executable, "-m", "bulk_export.cli", "schema", f"transcript-{kind}"]
        schema = subprocess.run(command, capture_output=True, check=True).stdout
        (tmp_path / f"transcript-1.0.{name}").write_bytes(schema)
    return directory


@pytest.mark.parametrize("command", [line for block in blocks("sh") for line in block.splitlines()])
@pytest.mark.parametrize("run", ["excel"], indirect=True)  # the run with XML transcripts
def test_every_command_succeeds(run: Path, command: str, program: Callable[[str, str], str]) -> None:
    if command.startswith("xmllint"):
        program("xmllint", "libxml2-utils")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_python_snippets_run_one_after_the_other(run: Path) -> None:
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, str(DOCUMENT), "exec"), names)
    assert len(names["contacts"]) == len(names["rows"]) == len(HOSTILE) + 1  # type: ignore[arg-type]
    assert [row["Subject"] for row in names["rows"]][:-1] == [stored for stored, _ in HOSTILE]  # type: ignore[attr-defined]
    assert len(names["started"]) == len(HOSTILE)  # type: ignore[arg-type]


def test_every_query_gives_its_rows(run: Path) -> None:
    (block,) = blocks("sql")
    answers = [duckdb.sql(query).fetchall() for query in block.split(";") if query.strip()]
    contacts, _, statuses = answers
    assert [(int(row[0]), row[1]) for row in contacts[:-1]] == [
        (FIRST_ID + place, stored) for place, (stored, _) in enumerate(HOSTILE)
    ]
    assert sorted(statuses) == [("delivered", None, len(HOSTILE)), ("masked", "RECYCLED", 1)]


def test_the_document_has_snippets_of_each_kind() -> None:
    assert {language for language, _ in BLOCKS} == {"sh", "python", "sql"}
    assert len(BLOCKS) >= 8
