"""`make setup` on machines whose Python cannot be used: it says what to install and leaves nothing behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "cat", "cksum", "awk", "date", "dirname", "rm")

SHIM = "#!/bin/sh\necho 'pyenv: python: command not found' >&2\nexit 127\n"
TOO_OLD = "#!/bin/sh\nexit 1\n"  # what the version check answers
WITHOUT_VENV = f"""#!/bin/sh
case "$2" in *ensurepip*) exit 1 ;; esac
exec '{sys.executable}' "$@"
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A project without .venv, and a PATH with the usual tools but no Python."""
    for name in ("constraints.txt", "pyproject.toml", "scripts/setup.sh"):
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / "project" / name)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path


def install(machine: Path, name: str, script: str) -> None:
    program = machine / "bin" / name
    program.write_text(script)
    program.chmod(0o755)


def set_up(machine: Path) -> str:
    done = subprocess.run(
        ["sh", "scripts/setup.sh"],
        cwd=machine / "project",
        env={"PATH": str(machine / "bin")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert not (machine / "project/.venv").exists()
    return done.stderr


@pytest.mark.parametrize("script", [SHIM, TOO_OLD], ids=["shims that only print an error", "too old"])
def test_without_a_python_that_runs_it_says_which_ones_fit(machine: Path, script: str) -> None:
    for name in ("python3.13", "python3.12", "python3", "python", "uv"):
        install(machine, name, script)
    assert "No Python 3.11, 3.12 or 3.13 that runs was found on PATH." in set_up(machine)


def test_without_the_venv_package_it_names_the_package_to_install(machine: Path) -> None:
    install(machine, "python3.13", SHIM)
    install(machine, "python3", WITHOUT_VENV)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"sudo apt-get install python{version}-venv" in set_up(machine)
