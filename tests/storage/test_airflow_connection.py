"""An Airflow connection of type aws, resolved by the installed provider, reaches a real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bulk_export.definitions.locations import S3Location
from bulk_export.errors import RefusedError
from bulk_export.storage import open_storage
from bulk_export.storage.objects import WHOLE_BYTES
from bulk_export.storage.reading import read
from bulk_export.storage.s3 import S3Storage
from servers import SECRETS, S3Server


def storage(monkeypatch: pytest.MonkeyPatch, server: S3Server, prefix: str, secret: str, bucket: str) -> S3Storage:
    from bulk_export_airflow.connections import credentials

    extra = {"region_name": "us-east-1", "endpoint_url": server.endpoint}
    connection = {"conn_type": "aws", "login": "owner", "password": secret, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", json.dumps(connection))
    location = S3Location(type="s3", bucket=bucket, prefix=prefix, connection="lake")
    opened = open_storage(location, base=Path("/"), credentials=credentials("lake"))
    assert isinstance(opened, S3Storage)
    return opened


def test_every_way_to_the_server_takes_the_connections_key(
    monkeypatch: pytest.MonkeyPatch, s3_server: S3Server, prefix: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-the-environment")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-the-environment")
    lake = storage(monkeypatch, s3_server, prefix, SECRETS["owner"], "exports")
    calls = storage(monkeypatch, s3_server, prefix, SECRETS["owner"], "calls")

    small = lake.put("small", b"content", replace=False)
    large = calls.put("large", bytes(WHOLE_BYTES + 1), replace=False)

    assert read(lake, "small") == b"content"
    assert lake.checksum("small") == small.sha256
    copied = lake.copy("large", calls, "large", calls.fetch("large", 1))
    assert copied == large


def test_a_wrong_secret_is_told_without_repeating_it(
    monkeypatch: pytest.MonkeyPatch, s3_server: S3Server, prefix: str
) -> None:
    lake = storage(monkeypatch, s3_server, prefix, "wrong-secret-value", "exports")

    for content in (b"small", bytes(WHOLE_BYTES + 1)):
        with pytest.raises(RefusedError, match=r"STORAGE_DENIED.*SignatureDoesNotMatch") as caught:
            lake.put("key", content)
        assert "wrong-secret-value" not in str(caught.value)
