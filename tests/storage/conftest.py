"""Buckets of a real server, directly and through a proxy that misbehaves."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bulk_export.definitions.locations import S3Location
from bulk_export.storage import open_storage
from bulk_export.storage.credentials import Credentials
from bulk_export.storage.retry import RetryPolicy
from bulk_export.storage.s3 import S3Storage
from fault_proxy import FaultProxy, fault_proxy
from servers import SECRETS, S3Server

HURRIED = RetryPolicy(window_s=60, timeout_s=2, connect_s=2, first_pause_s=0.01, longest_pause_s=0.1)
Open = Callable[..., S3Storage]


@pytest.fixture
def prefix() -> str:
    return f"run-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def proxy(s3_server: S3Server) -> Iterator[FaultProxy]:
    with fault_proxy(s3_server.endpoint) as running:
        yield running


@pytest.fixture
def opened(s3_server: S3Server, prefix: str) -> Open:
    """Open a bucket of the server at the test's own prefix."""

    def open_bucket(
        bucket: str = "exports", who: str = "owner", endpoint: str = "", retry_policy: RetryPolicy = HURRIED
    ) -> S3Storage:
        location = S3Location(
            type="s3", bucket=bucket, prefix=prefix, endpoint=endpoint or s3_server.endpoint, region="us-east-1"
        )
        key = Credentials({"access_key_id": who, "secret_access_key": SECRETS[who]})
        storage = open_storage(location, base=Path("/"), credentials=key, retry_policy=retry_policy)
        assert isinstance(storage, S3Storage)
        return storage

    return open_bucket
