"""Real object stores on loopback: SeaweedFS (S3, from PyPI) and Azurite (Azure Blob, where npm has installed it)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_START_S = 60.0
# Tests that take too long are killed, and then nothing of theirs runs any more to end their servers: the kernel does,
# asked for it (PR_SET_PDEATHSIG, SIGKILL) by what becomes the server.
_ASK = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"
_DIES_WITH_ITS_PARENT = (sys.executable, "-c", _ASK) if sys.platform == "linux" else ()
_GRPC_OFFSET = 10_000  # SeaweedFS serves each port's gRPC ten thousand above
SECRETS = {
    "owner": "owner-secret-0123456789",
    "dropper": "dropper-secret-0123456789",
    "reader": "reader-secret-0123456789",
}
_ACTIONS = {
    "owner": ["Admin", "Read", "Write", "List", "Tagging"],
    "dropper": ["Write", "List"],
    "reader": ["Read", "List"],
}


@dataclass(frozen=True, slots=True)
class S3Server:
    """A running server and who may use it.

    Attributes:
        endpoint: its address.
        port: the same, the number alone.
    """

    endpoint: str
    port: int

    def client(self, who: str = "owner") -> Any:
        """An S3 client of somebody else's making, to look at what really lies there."""
        return _client(self.endpoint, who)


@cache
def _client(endpoint: str, who: str) -> Any:
    """Made once: that takes longer than a dozen requests."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=who,
        aws_secret_access_key=SECRETS[who],
        config=Config(s3={"addressing_style": "path"}),
    )


def weed_program() -> str | None:
    """The SeaweedFS program that the Python package brings."""
    beside = Path(sys.executable).with_name("weed")
    return str(beside) if beside.exists() else shutil.which("weed")


@contextmanager
def seaweedfs(folder: Path, memory: str = "300MiB") -> Iterator[S3Server]:
    """SeaweedFS with real signatures, on loopback only, holding on to so much memory; gone at the end."""
    program = weed_program()
    assert program is not None
    identities = [
        {"name": who, "credentials": [{"accessKey": who, "secretKey": SECRETS[who]}], "actions": actions}
        for who, actions in _ACTIONS.items()
    ]
    config, data = folder / "s3.json", folder / "data"
    config.write_text(json.dumps({"identities": identities}))
    data.mkdir()
    master, volume, filer, s3 = free_ports(4, also=_GRPC_OFFSET)
    command = [
        *(program, "-logdir", str(folder), "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
        *(f"-master.port={master}", f"-volume.port={volume}", "-filer", f"-filer.port={filer}"),
        *("-s3", f"-s3.port={s3}", f"-s3.config={config}", "-s3.autoCreateBucket=false", "-s3.port.iceberg=0"),
        *("-s3.port.lance=0", "-master.telemetry=false", "-volume.max=50", "-master.electionTimeout=1s"),
        *("-master.volumeSizeLimitMB=512",),
    ]
    server = S3Server(f"http://127.0.0.1:{s3}", s3)
    with _running(command, {"GOMEMLIMIT": memory}, folder / "weed.log", ready=lambda: _takes_objects(server)):
        yield server


@dataclass(frozen=True, slots=True)
class AzureServer:
    """A running Azure Blob server; its account and key are the ones every emulator has."""

    endpoint: str
    account: str = "devstoreaccount1"
    key: str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def azurite_program() -> str | None:
    """Azurite's blob server: the one that is named, else `scripts/test_programs.sh`'s, else the machine's."""
    beside = Path(sys.prefix, "node/node_modules/.bin/azurite-blob")
    return os.environ.get("AZURITE_BLOB") or (str(beside) if beside.exists() else shutil.which("azurite-blob"))


@contextmanager
def azurite(folder: Path) -> Iterator[AzureServer]:
    """Azurite on loopback only, with the container `exports`."""
    program = azurite_program()
    assert program is not None
    (port,) = free_ports(1)
    command = [
        *(program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)),
        *("--silent", "--disableTelemetry", "--skipApiVersionCheck"),
    ]
    server = AzureServer(f"http://127.0.0.1:{port}/devstoreaccount1")
    with _running(command, {}, folder / "azurite.log", ready=lambda: _makes_container(server)):
        yield server


def _makes_container(server: AzureServer) -> bool:
    """Signed by hand: obstore makes no containers, and one request is no reason to install Azure's own library."""
    import base64
    import hashlib
    import hmac
    import urllib.error
    import urllib.request
    from email.utils import formatdate

    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    canonical = "".join(f"{name}:{value}\n" for name, value in sorted(headers.items()))
    resource = f"/{server.account}/{server.account}/exports\nrestype:container"
    to_sign = "PUT" + "\n" * 12 + canonical + resource
    signature = base64.b64encode(hmac.digest(base64.b64decode(server.key), to_sign.encode(), hashlib.sha256)).decode()
    headers["Authorization"] = f"SharedKey {server.account}:{signature}"
    request = urllib.request.Request(
        f"{server.endpoint}/exports?restype=container", method="PUT", headers=headers, data=b""
    )
    request.add_header("Content-Type", "")
    try:
        with urllib.request.urlopen(request, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code == 409
    except OSError:
        return False


def _takes_objects(server: S3Server) -> bool:
    client = server.client()
    with suppress(Exception):
        with suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            client.create_bucket(Bucket="ready")
        client.put_object(Bucket="ready", Key="key", Body=b"ready")  # a volume has been found for it
        return True
    return False


@contextmanager
def _running(
    command: list[str], environment: Mapping[str, str], log: Path, ready: Callable[[], bool]
) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*_DIES_WITH_ITS_PARENT, *command],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + _START_S
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_ports(count: int, *, also: int = 0) -> list[int]:
    """Ports nobody listens on, `also` above each neither."""
    found: list[int] = []
    sockets: list[socket.socket] = []
    try:
        while len(found) < count:
            first = socket.socket()
            sockets.append(first)
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            if port + also > 65_535:
                continue
            if also:
                second = socket.socket()
                sockets.append(second)
                try:
                    second.bind(("127.0.0.1", port + also))
                except OSError:
                    continue
            found.append(port)
    finally:
        for one in sockets:
            one.close()
    return found
