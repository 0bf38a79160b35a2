"""docker-compose.yaml as a file: an engine takes it, and it names nothing that is not there."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from compose import read

from make_env import made

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = PROJECT / "docker-compose.yaml"


def test_every_secret_it_asks_for_is_made_by_make_env() -> None:
    asked = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
    bare = set(re.findall(r"(?<!\$)\$\{(\w+)\}", COMPOSE.read_text()))
    assert asked | bare == set(made())


def test_the_file_of_secrets_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    script = tmp_path / "scripts/make_env.py"
    script.parent.mkdir()
    shutil.copy(PROJECT / "scripts/make_env.py", script)
    for _ in range(2):
        subprocess.run([sys.executable, script], check=True, capture_output=True)
        written = (tmp_path / ".env").read_text()
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert (tmp_path / ".env").read_text() == written
    assert {line.partition("=")[0] for line in written.splitlines()} == set(made())


def test_what_it_mounts_and_runs_is_in_the_project_and_in_the_image() -> None:
    content = read(COMPOSE)
    mounted = [volume for service in content["services"].values() for volume in service.get("volumes", ())]
    files = [volume.split(":")[0] for volume in mounted if volume.startswith("./")]
    assert files and all((PROJECT / name).exists() for name in files)
    assert (PROJECT / content["services"]["init"]["command"][1].removeprefix("/opt/bulk-export/")).exists()
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    assert all(
        f"!{name}" in ignored for name in ("dags", "plugins", "include", "scripts", "deploy", "constraints-runtime.txt")
    )


def test_the_image_gets_every_package_but_those_of_the_tests() -> None:
    assert "--require-hashes --compile-bytecode -r constraints-runtime.txt" in (PROJECT / "Dockerfile").read_text()
    kept, left_out = ((PROJECT / name).read_text() for name in ("constraints-runtime.txt", "requirements-dev.txt"))
    assert "\napache-airflow-providers-celery==" in kept
    assert "\npytest==" in left_out and "\npytest==" not in kept


def test_every_service_of_airflow_says_whether_it_is_healthy() -> None:
    content = read(COMPOSE)["services"]
    assert {name for name, service in content.items() if "healthcheck" not in service} == {"init"}


def compose_program() -> list[str] | None:
    """Its first generation is a program, its second a plugin that `docker` may lack."""
    for command in (["docker-compose"], ["docker", "compose"]):
        if shutil.which(command[0]) and _answers(command):
            return command
    return None


def _answers(command: list[str]) -> bool:
    return subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0


def test_docker_compose_takes_it(tmp_path: Path) -> None:
    command = compose_program()
    if command is None:
        pytest.skip("docker compose is not installed")
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in made().items()))
    for name in ("docker-compose.yaml", "Dockerfile"):
        shutil.copy(PROJECT / name, tmp_path)
    checked = subprocess.run([*command, "config", "-q"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    (tmp_path / ".env").unlink()
    environment = {name: value for name, value in os.environ.items() if name not in made()}
    refused = subprocess.run(
        [*command, "config", "-q"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode != 0
    assert "make env" in refused.stderr
