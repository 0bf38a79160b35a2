from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from bulk_export.definitions.locations import AzureLocation, S3Location
from bulk_export.storage import open_storage
from bulk_export.storage.base import Storage
from bulk_export.storage.credentials import Credentials
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.objects import ObjectStorage
from servers import SECRETS, AzureServer, S3Server
from verbs_alone import VerbsAlone


def _s3(request: pytest.FixtureRequest, root: Path) -> Storage:
    server: S3Server = request.getfixturevalue("s3_server")
    location = S3Location(
        type="s3", bucket="exports", prefix=f"contract/{uuid.uuid4()}", endpoint=server.endpoint, region="us-east-1"
    )
    key = Credentials({"access_key_id": "owner", "secret_access_key": SECRETS["owner"]})
    return open_storage(location, base=root, credentials=key)


def _azure(request: pytest.FixtureRequest, root: Path) -> Storage:
    server: AzureServer = request.getfixturevalue("azure_server")
    location = AzureLocation(type="azure", container="exports", account=server.account, prefix=str(uuid.uuid4()))
    key = Credentials({"account_key": server.key, "endpoint": server.endpoint})
    return open_storage(location, base=root, credentials=key)


# Adding a storage kind is a line here.
STORAGES: dict[str, Callable[[pytest.FixtureRequest, Path], Storage]] = {
    "local": lambda request, root: LocalStorage(root),
    "objects in memory": lambda request, root: ObjectStorage(MemoryStore(), "memory://"),
    "the verbs alone": lambda request, root: VerbsAlone(root),
    "s3": _s3,
    "azure": _azure,
}


@pytest.fixture(params=STORAGES)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return STORAGES[request.param](request, tmp_path / "root")
