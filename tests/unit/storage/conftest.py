from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from bulk_export.storage.base import Storage
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.objects import ObjectStorage

# Adding a storage is a line here.
STORAGES: dict[str, Callable[[Path], Storage]] = {
    "local": LocalStorage,
    "objects in memory": lambda root: ObjectStorage(MemoryStore(), "memory://"),
}


@pytest.fixture(params=STORAGES)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return STORAGES[request.param](tmp_path / "root")
