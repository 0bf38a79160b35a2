"""Decide a local Airflow's folders, ports, secrets and environment."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HOST = "127.0.0.1"
USUAL_PORT = 8080
# How long one of Airflow's processes waits for another's write to SQLite; its own 5 s are too short on a busy machine.
# Not much longer: the API server's event loop may come to wait for a write that only it can finish, and then nothing
# moves until the wait is over. Tasks ask the API server for 35 s before they give up.
DATABASE_WAIT_S = 15
# Environment variable that every process of an instance inherits: how `processes` tells them from others.
MARK = "BULK_EXPORT_LOCAL_AIRFLOW"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where an instance keeps its own files, and what it runs."""

    home: Path
    dags: Path
    plugins: Path
    definitions: Path


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports one instance listens on, all on the loopback address."""

    api: int
    worker_log: int
    trigger_log: int


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets that stay the same from one start to the next."""

    password: str
    fernet_key: str
    jwt_secret: str
    session_key: str


def free_ports(preferred_ports: Sequence[int] = (USUAL_PORT, 8793, 8794)) -> Ports:
    """Ports nobody listens on.

    Args:
        preferred_ports: taken where they are free: Airflow's usual ones, as people know them. 0 is any port; instances
            that start at the same moment should ask for nothing else.
    """
    found: list[socket.socket] = []
    try:
        for preferred in preferred_ports:
            found.append(listen_on(preferred) or listen_on(0) or socket.socket())
        return Ports(*(one.getsockname()[1] for one in found))
    finally:
        for one in found:
            one.close()


def listen_on(port: int) -> socket.socket | None:
    """Listen on a loopback port, 0 for any; None when taken."""
    listening = socket.socket()
    # As the server itself will do; without it a port that was closed a minute ago would look taken.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen()
    except OSError:
        listening.close()
        return None
    return listening


def kept_secrets(home: Path) -> Secrets:
    """Read or make an instance's secrets, for its owner only."""
    path = home / "secrets.json"
    if not path.exists():
        from cryptography.fernet import Fernet

        made = Secrets(
            password=secrets.token_urlsafe(9),
            fernet_key=Fernet.generate_key().decode(),
            jwt_secret=secrets.token_hex(32),
            session_key=secrets.token_hex(32),
        )
        write_private(path, json.dumps(asdict(made)))
    return Secrets(**json.loads(path.read_text()))


def write_private(path: Path, text: str) -> None:
    """Write a file for its owner only, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    temporary.replace(path)


def airflow_environment(
    inherited: Mapping[str, str],
    folders: Folders,
    ports: Ports,
    kept: Secrets,
    users: Mapping[str, str],
    mark: str,
    database: str = "",
) -> dict[str, str]:
    """The environment that every process of the instance runs in.

    Args:
        inherited: the caller's environment; its Airflow settings are dropped, so that no other installation's database
            is touched, while connections (`AIRFLOW_CONN_*`) stay.
        folders: its own files, and what it runs.
        ports: what it listens on.
        kept: its secrets.
        users: role by user name; all have the same password.
        mark: what tells this instance's processes from all others.
        database: SQLAlchemy address of Airflow's own database; empty for SQLite in `folders.home`.
    """
    base = {
        name: value
        for name, value in inherited.items()
        if not name.startswith(("AIRFLOW__", "_AIRFLOW")) and name not in ("AIRFLOW_HOME", "AIRFLOW_CONFIG")
    }
    # Compiled modules must be kept: each task is a new process and would compile dags/ again.
    base.pop("PYTHONDONTWRITEBYTECODE", None)
    programs = Path(sys.executable).parent
    local = ",".join(filter(None, (base.get("NO_PROXY") or base.get("no_proxy"), "127.0.0.1,localhost")))
    url = f"http://{HOST}:{ports.api}"
    settings = {
        "CORE__DAGS_FOLDER": folders.dags,
        "CORE__PLUGINS_FOLDER": folders.plugins,
        "CORE__LOAD_EXAMPLES": False,
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": 4,
        "CORE__FERNET_KEY": kept.fernet_key,
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in users.items()),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": folders.home / "passwords.json",
        **_database(folders, database),
        "API__HOST": HOST,
        "API__PORT": ports.api,
        "API__BASE_URL": url,
        "API__WORKERS": 1,
        "API__SECRET_KEY": kept.session_key,
        "API__INSTANCE_NAME": "Bulk Contact Export",
        "API_AUTH__JWT_SECRET": kept.jwt_secret,
        "LOGGING__WORKER_LOG_SERVER_PORT": ports.worker_log,
        "LOGGING__TRIGGER_LOG_SERVER_PORT": ports.trigger_log,
        # The default of 1 s between scheduler rounds is most of the time of a run of eight short tasks.
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": 0.1,
        # Less than the 30 s in which a saved definition is to be a DAG: reading the files takes time as well.
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 25,
        "DAG_PROCESSOR__REFRESH_INTERVAL": 30,
    }
    return base | {
        "AIRFLOW_HOME": str(folders.home),
        "BULK_EXPORT_DEFINITIONS": str(folders.definitions),
        # `airflow standalone` starts its parts by name.
        "PATH": f"{programs}{os.pathsep}{base.get('PATH', os.defpath)}",
        # Tasks talk to the API server on this machine; a proxy must not get in between.
        "NO_PROXY": local,
        "no_proxy": local,
        # macOS ends forked processes that touch its frameworks unless told not to; elsewhere it means nothing.
        "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
        "PYTHONUNBUFFERED": "1",
        MARK: mark,
        **{f"AIRFLOW__{name}": str(value) for name, value in settings.items()},
    }


def _database(folders: Folders, address: str) -> dict[str, str]:
    """The settings of Airflow's own database, which it reaches in two ways."""
    if not address:
        return {"DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folders.home / 'airflow.db'}?timeout={DATABASE_WAIT_S}"}
    return {"DATABASE__SQL_ALCHEMY_CONN": address, "DATABASE__SQL_ALCHEMY_CONN_ASYNC": address}
