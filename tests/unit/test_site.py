from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bulk_export.contacts.addresses import OutsideError
from bulk_export.site import Site
from bulk_export.storage.reading import read

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def site(definitions: Path, *, allowed: Sequence[str] = (), **staging: Any) -> Site:
    definitions.mkdir()
    settings = {
        "environment": {"name": "acme", "time_zone": "America/Bogota"},
        "licence": {"type": "performance"},
        "contact_store": {"type": "parquet", "uri": "../store", "allowed": list(allowed)},
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


def test_a_place_allowed_is_taken_from_the_folder_of_the_settings(tmp_path: Path) -> None:
    here = site(tmp_path / "definitions", allowed=["../recordings", "s3://acme-archive/calls"])
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings/1.wav").write_bytes(b"RIFF")
    store = here.open_contact_store(here.settings.contact_store, tmp_path)

    addresses = here.addresses(here.settings.contact_store, store.objects)

    assert read(*addresses.locate(f"{tmp_path}/recordings/1.wav")) == b"RIFF"
    storage, key = addresses.locate("s3a://acme-archive/calls/1.wav")
    assert (storage.uri, key) == ("s3://acme-archive/calls", "1.wav")
    for address in (f"{tmp_path}/definitions/settings.yaml", "s3://acme-archive/chats/1.wav"):
        with pytest.raises(OutsideError):
            addresses.locate(address)
