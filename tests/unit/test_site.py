from __future__ import annotations

import os
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bulk_export.contacts.addresses import locate
from bulk_export.errors import DefinitionError
from bulk_export.site import Site
from bulk_export.storage.capabilities import local_path
from bulk_export.storage.reading import read

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def site(definitions: Path, **staging: Any) -> Site:
    definitions.mkdir()
    settings = {
        "environment": {"name": "acme", "time_zone": "America/Bogota"},
        "licence": {"type": "performance"},
        "contact_store": {"type": "parquet", "uri": "../store"},
        "storage_locations": {"archive": {"type": "local", "path": "../exports"}},
        "staging": staging or {"type": "local", "path": "../staging"},
        "state": {"url": "sqlite:///../state.db"},
    }
    (definitions / "settings.yaml").write_text(yaml.safe_dump(settings))
    return Site(definitions=definitions, clock=lambda: NOW)


def test_scratch_files_of_a_bucket_lie_where_only_this_user_can_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    here = site(tmp_path / "definitions", type="s3", bucket="acme-staging")
    scratch = here.scratch("ab12")
    assert scratch == tmp_path / f"bulk-export-{os.getuid()}/ab12"
    assert stat.S_IMODE(scratch.stat().st_mode) == 0o700
    assert here.scratch("ab12") == scratch


def test_scratch_files_of_a_local_staging_area_lie_in_it(tmp_path: Path) -> None:
    assert site(tmp_path / "definitions").scratch("ab12") == tmp_path / "staging/ab12/scratch"


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("{folder}/a%20b.wav", "a%20b.wav"),
        ("file://{folder}/a%20b.wav", "a b.wav"),
        ("file://localhost{folder}/deep%20er/%E2%82%AC.wav", "deep er/€.wav"),
        ("{folder}/x/../1.wav", "1.wav"),
    ],
)
def test_an_absolute_path_or_file_address_is_the_file_it_says(address: str, place: str, tmp_path: Path) -> None:
    wanted = tmp_path / "recordings" / place
    wanted.parent.mkdir(parents=True)
    wanted.write_bytes(b"RIFF")
    storage, key = site(tmp_path / "definitions").resolve(address.format(folder=tmp_path / "recordings"))
    assert read(storage, key) == b"RIFF"


@pytest.mark.parametrize("address", ["/settings.yaml", "file:///settings.yaml"])
def test_a_file_of_the_machines_root_is_not_looked_for_elsewhere(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = site(tmp_path / "definitions")
    monkeypatch.chdir(here.definitions)
    storage, key = here.resolve(address)
    assert local_path(storage, key) == Path("/settings.yaml")


@pytest.mark.parametrize("address", ["file:///srv/..", "file:///srv/%2E%2E", "file:///srv/..%2F1.wav"])
def test_a_name_cannot_leave_the_folder_of_its_file_address(address: str, tmp_path: Path) -> None:
    storage, key = site(tmp_path / "definitions").resolve(address)
    with pytest.raises(DefinitionError, match="KEY_INVALID"):
        read(storage, key)


def test_the_stores_own_address_needs_no_resolver(tmp_path: Path) -> None:
    here = site(tmp_path / "definitions")
    store = here.open_contact_store(here.settings.contact_store, tmp_path)
    for address in (f"{tmp_path}/store/1.wav", f"file://{tmp_path}/store/1.wav"):
        assert locate(address, store.objects) == (store.objects, "1.wav")
