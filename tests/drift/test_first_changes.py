"""The first changes that docs/contributing.md shows, applied to a copy of the checkout: each does what it says.

`first_changes/NAME.patch` is shown in the document, `first_changes/check_NAME.py` sees it work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import first_changes

PROJECT = Path(__file__).resolve().parents[2]
PATCHES = sorted(first_changes.FOLDER.glob("*.patch"))
NAMES = [patch.stem for patch in PATCHES]
COPIED = ("include", "plugins", "scripts", "tests/plugins", "tests/pipeline", "pyproject.toml")


def git_apply(patch: Path, folder: Path, *options: str) -> None:
    # Without the checkout's own repository: a copy in a temporary folder has none.
    done = subprocess.run(
        ["git", "apply", "--whitespace=error", *options, str(patch)],
        cwd=folder,
        env=os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The checkout as a newcomer has it, without what a check does not need."""
    for name in COPIED:
        source, target = PROJECT / name, tmp_path / "copy" / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    for path in (PROJECT / "tests").glob("*.py"):
        shutil.copy(path, tmp_path / "copy/tests")
    return tmp_path / "copy"


def test_the_document_shows_every_change() -> None:
    page = first_changes.PAGE.read_text(encoding="utf-8")
    assert page == first_changes.with_patches(page)
    assert [name for name in NAMES if f"<!-- patch {name} -->" not in page] == []
    assert {"csv_column", "filter_operator", "page", "storage_kind", "transcript_format"} == set(NAMES)


@pytest.mark.slow
def test_every_change_works(copy: Path) -> None:
    for patch in PATCHES:
        git_apply(patch, copy)
        shutil.copy(first_changes.FOLDER / f"check_{patch.stem}.py", copy / f"tests/plugins/test_first_{patch.stem}.py")
    checks = [f"tests/plugins/test_first_{name}.py" for name in NAMES]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *checks, "tests/plugins/test_language.py"],
        cwd=copy,
        env=os.environ
        | {"PYTHONPATH": os.pathsep.join(str(copy / name) for name in ("include", "plugins", "scripts"))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
