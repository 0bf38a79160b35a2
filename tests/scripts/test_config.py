"""How a local instance is set, so that it neither touches nor is disturbed by what else is on the machine."""

from __future__ import annotations

import socket
import stat
from pathlib import Path

import pytest

from local_airflow.config import Folders, Ports, Secrets, airflow_environment, free_ports, kept_secrets, listen_on

FOLDERS = Folders(Path("/home/a b/airflow"), Path("/dags"), Path("/plugins"), Path("/definitions"))
SECRETS = Secrets("word", "fernet", "jwt", "session")


def environment(**inherited: str) -> dict[str, str]:
    return airflow_environment(inherited, FOLDERS, Ports(1, 2, 3), SECRETS, {"admin": "admin"}, "mark")


def test_settings_of_another_airflow_are_dropped_and_connections_stay() -> None:
    found = environment(
        AIRFLOW_HOME="/srv/production",
        AIRFLOW__DATABASE__SQL_ALCHEMY_CONN="postgresql://production",
        AIRFLOW__CORE__EXECUTOR="CeleryExecutor",
        AIRFLOW_CONN_AWS_DEFAULT="aws://",
    )
    assert "production" not in str(found)
    assert found["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert found["AIRFLOW_CONN_AWS_DEFAULT"] == "aws://"


def test_a_proxy_never_gets_between_a_task_and_its_server() -> None:
    assert environment(http_proxy="http://proxy", no_proxy="intranet")["NO_PROXY"] == "intranet,127.0.0.1,localhost"


def test_python_keeps_what_it_compiles() -> None:
    assert "PYTHONDONTWRITEBYTECODE" not in environment(PYTHONDONTWRITEBYTECODE="1")


def test_ports_are_free_and_different_while_the_usual_ones_are_taken() -> None:
    taken = [one for port in (8080, 8793, 8794) if (one := listen_on(port))]
    try:
        ports = free_ports()
        numbers = [ports.api, ports.worker_log, ports.trigger_log]
        assert len(set(numbers)) == 3
        assert not {8080, 8793, 8794} & set(numbers)
        for number in numbers:
            with socket.socket() as one, pytest.raises(ConnectionRefusedError):
                one.connect(("127.0.0.1", number))
    finally:
        for one in taken:
            one.close()


def test_secrets_are_made_once_and_readable_by_their_owner_only(tmp_path: Path) -> None:
    made = kept_secrets(tmp_path / "new")
    assert kept_secrets(tmp_path / "new") == made
    assert stat.S_IMODE((tmp_path / "new/secrets.json").stat().st_mode) == 0o600
    assert kept_secrets(tmp_path / "other") != made
