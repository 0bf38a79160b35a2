"""One more storage kind is an entry of the registry: everything that knows kinds then knows it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from pkgutil import resolve_name
from typing import Literal

import pytest
import yaml

import reference
from bulk_export.cli import main
from bulk_export.definitions.json_schema import definitions_schema
from bulk_export.definitions.loader import load_definitions
from bulk_export.definitions.locations import STORAGE_KINDS, LocalLocation, StorageKind, StorageLocation
from bulk_export.storage import open_storage, open_uri
from bulk_export.storage.reading import read
from verbs_alone import SHELF, ShelfLocation, VerbsAlone


@pytest.fixture
def shelf_kind() -> Iterator[None]:
    with STORAGE_KINDS.registered(SHELF):
        yield


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    folder = tmp_path / "definitions"
    folder.mkdir()
    settings = {
        "environment": {"name": "acme"},
        "licence": {"type": "performance"},
        "contact_store": {"type": "parquet", "uri": "../store"},
        "storage_locations": {"archive": {"type": "shelf", "shelf": "north", "row": "7", "pool": "archive"}},
        "staging": {"type": "local", "path": "../staging"},
        "state": {"url": "sqlite:///../state.db"},
    }
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    return folder


@pytest.mark.usefixtures("shelf_kind")
def test_settings_take_a_registered_kind_and_open_it(definitions: Path) -> None:
    archive = load_definitions(definitions).require_settings().storage_locations["archive"]

    assert archive == ShelfLocation(type="shelf", shelf="north", row="7", pool="archive")
    storage = open_storage(archive, base=definitions)
    assert isinstance(storage, VerbsAlone)
    storage.put("a/key", b"content")
    assert read(open_uri("shelf://north/7", base=definitions), "a/key") == b"content"


@pytest.mark.usefixtures("shelf_kind")
def test_what_is_wrong_with_its_keys_is_said_in_its_own_words(definitions: Path) -> None:
    file = definitions / "settings.yaml"
    file.write_text(file.read_text().replace("shelf: north", "shelve: north"))

    problems = [str(problem).partition(" ")[2] for problem in load_definitions(definitions).problems]

    assert sorted(problems) == [
        "storage_locations.archive.shelf: is missing",
        "storage_locations.archive.shelve: unknown key 'shelve'. Did you mean 'shelf'?",
    ]


def test_a_kind_that_nobody_registered_is_refused_with_the_nearest(definitions: Path) -> None:
    file = definitions / "settings.yaml"
    file.write_text(file.read_text().replace("type: shelf", "type: locla"))

    [problem] = load_definitions(definitions).problems

    assert "type 'locla' is not one of local, s3, azure, gcs. Did you mean 'local'?" in str(problem)
    with pytest.raises(LookupError, match=r"there is no storage kind 'locla'\. Did you mean 'local'\?"):
        STORAGE_KINDS["locla"]
    with pytest.raises(LookupError, match="There are: local, s3, azure, gcs"):
        open_storage(ShelfLocation(type="shelf", shelf="north"), base=definitions)


@pytest.mark.usefixtures("shelf_kind")
def test_the_json_schema_and_the_reference_show_it() -> None:
    schema = definitions_schema()["$defs"]["settings"]
    locations = schema["properties"]["storage_locations"]["additionalProperties"]
    assert locations["discriminator"]["mapping"]["shelf"] == "#/$defs/ShelfLocation"
    assert schema["$defs"]["ShelfLocation"]["required"] == ["type", "shelf"]

    assert "### `storage_locations` of type `shelf`\n\nA shelf of the archive." in reference.definitions_page()


def test_without_it_nothing_shows_it() -> None:
    assert "shelf" not in json.dumps(definitions_schema())
    assert "shelf" not in reference.definitions_page()


@pytest.mark.usefixtures("shelf_kind")
def test_check_storage_tries_its_rights(definitions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--definitions", str(definitions), "check-storage", "archive"]) == 0

    printed = capsys.readouterr().out
    assert printed.startswith(f"archive: shelf://{definitions}/shelves/north/7\n")
    assert "Runs can use it." in printed
    assert "MISSING" not in printed


@pytest.mark.usefixtures("shelf_kind")
def test_an_airflow_connection_of_its_type_gives_what_its_opener_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    from bulk_export_airflow.connections import credentials

    monkeypatch.setenv("AIRFLOW_CONN_ARCHIVE", json.dumps({"conn_type": "archivist", "password": "s3cr3t"}))
    assert credentials("archive").options == {"key": "s3cr3t"}
    assert SHELF.connection_id(ShelfLocation(type="shelf", shelf="north", connection="archive")) == "archive"
    assert STORAGE_KINDS["local"].connection_id(LocalLocation(type="local", path=".")) is None


def test_a_name_is_registered_once_and_is_the_type_of_its_settings() -> None:
    class Mislabelled(StorageLocation):
        type: Literal["other"]

    with STORAGE_KINDS.registered(SHELF), pytest.raises(ValueError, match="'shelf' is registered already"):
        STORAGE_KINDS.register(SHELF)
    with pytest.raises(ValueError, match="type must be Literal"):
        STORAGE_KINDS.register(StorageKind("label", Mislabelled, "nowhere:nothing"))
    assert [kind.name for kind in STORAGE_KINDS] == ["local", "s3", "azure", "gcs"]


@pytest.mark.parametrize("kind", [*STORAGE_KINDS], ids=lambda kind: kind.name)
def test_every_opener_is_there(kind: StorageKind) -> None:
    assert callable(resolve_name(kind.opener))


@pytest.mark.parametrize(
    ("opened", "loaded"),
    [
        ("open_uri('exports', base=Path('/'))", []),
        ("open_uri('s3://acme/calls', base=Path('/'))", ["obstore"]),
        ("open_uri('gs://acme/calls', base=Path('/'))", ["obstore"]),
    ],
)
def test_a_storage_loads_the_libraries_of_its_own_kind(opened: str, loaded: list[str]) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom bulk_export.storage import open_uri\n"
        "import bulk_export.site, bulk_export.definitions.settings, bulk_export.storage.rights\n"
        f"{opened}\n"
        "print(*sorted({'obstore', 'botocore', 'boto3'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == loaded
