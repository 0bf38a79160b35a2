"""The secret of an Airflow connection stays in the connection: searched for in everything a run leaves anywhere."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from servers import SECRETS, S3Server

if TYPE_CHECKING:
    from postgres_server import PostgresServer
    from running_airflow import Running

WRONG = "canary/Wrong+Secret0123456789"
CANARIES = (SECRETS["owner"], WRONG)
BUCKET = "exports"


@pytest.fixture
def lakes(airflow: Running, s3_server: S3Server) -> Iterator[None]:
    """Two connections to one server, one of them with a wrong secret, and a storage location for each."""
    extra = json.dumps({"region_name": "us-east-1", "endpoint_url": s3_server.endpoint})
    aws = {"conn_type": "aws", "login": "owner", "extra": extra}
    secrets = {"lake": SECRETS["owner"], "wrong_lake": WRONG}
    for name, secret in secrets.items():
        airflow.api.request("POST", "/connections", {**aws, "connection_id": name, "password": secret})
    places = {
        name: {"type": "s3", "bucket": BUCKET, "prefix": f"canary/{name}", "connection": name} for name in secrets
    }
    local = {"archive": {"type": "local", "path": "../exports"}, "other": {"type": "local", "path": "../elsewhere"}}
    staging = {**places["lake"], "prefix": "canary/staging"}
    try:
        with airflow.settings(storage_locations=local | places, staging=staging):
            yield
    finally:
        for name in secrets:
            airflow.api.request("DELETE", f"/connections/{name}")


def test_a_connections_secret_is_found_nowhere_but_in_the_connection(
    airflow: Running, s3_server: S3Server, lakes: None
) -> None:
    names = {"lake": "to the lake", "wrong_lake": "to the wrong lake"}
    dags = [
        airflow.export(place.replace("_", "-"), search="recent", storage_location=place, media={"audio_only": "wav"})
        for place in names
    ]
    airflow.up(*dags)
    begun = [(dag_id, airflow.api.trigger(dag_id, {})) for dag_id in dags]
    good, bad = (airflow.follow(dag_id, run_id) for dag_id, run_id in begun)

    assert good.record.status.startswith("COMPLETED"), good.record.error_message
    assert (bad.record.status, bad.record.error_code) == ("FAILED", "STORAGE_DENIED")
    assert "SignatureDoesNotMatch" in (bad.record.error_message or "")
    left = {**files_of(airflow.root), **tables_of(airflow.database), **objects_of(s3_server)}
    # The search finds what is there: in the logs, in both databases and among the delivered objects.
    told = {name for name, content in left.items() if good.run_id.encode() in content}
    assert {"airflow.dag_run", "state.db"} <= {name.removesuffix("-wal") for name in told}
    assert any(name.endswith(".log") for name in told)
    assert any(name.endswith("export.yaml") for name in left)
    for canary in CANARIES:
        for form in forms(canary):
            assert [name for name, content in left.items() if form in content] == []


def files_of(root: Path) -> dict[str, bytes]:
    """Everything on disk: Airflow's home with its logs, the state database, what was exported."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def tables_of(server: PostgresServer) -> dict[str, bytes]:
    """Every row of Airflow's own database, by table; PostgreSQL writes bytes in hexadecimal digits."""
    with server.connect() as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        found = {}
        for (name,) in names:
            with connection.cursor().copy(f'COPY "{name}" TO STDOUT') as rows:
                found[f"airflow.{name}"] = b"".join(rows)
    return found


def objects_of(server: S3Server) -> dict[str, bytes]:
    """Everything in the bucket, the staging area included."""
    client = server.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="canary/")
    keys = [one["Key"] for page in pages for one in page.get("Contents", ())]
    return {f"s3:{key}": client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def forms(secret: str) -> set[bytes]:
    """How a secret may look in a text: as it is, in an address, in JSON, in a header."""
    plain = {secret, quote(secret, safe=""), secret.replace("/", r"\/")}
    # Base64 of it at any offset: the middle is the same whatever stands around it.
    encoded = {base64.b64encode(b"x" * shift + secret.encode()).decode()[4:-4] for shift in range(3)}
    return {one.encode() for one in plain | encoded | {secret.encode().hex()}}
