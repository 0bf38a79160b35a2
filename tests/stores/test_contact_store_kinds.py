"""One more contact store kind is an entry of the registry: everything that knows kinds then knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Literal

import pytest
import yaml
from pydantic import Field

import reference
from bulk_export.cli import main
from bulk_export.contacts import open_contact_store
from bulk_export.contacts.parquet import ParquetContactStore
from bulk_export.definitions.contact_stores import (
    CONTACT_STORE_KINDS,
    ContactStoreKind,
    ContactStoreSettings,
    ParquetStore,
    PostgresStore,
)
from bulk_export.definitions.json_schema import definitions_schema
from bulk_export.definitions.loader import load_definitions
from bulk_export.definitions.values import Text
from bulk_export.errors import DefinitionError
from bulk_export.site import Site
from bulk_export.storage.credentials import Credentials
from bulk_export.storage.local import LocalStorage


class LakeStore(ContactStoreSettings):
    """Tables of a lake, found through its catalogue service."""

    type: Literal["lake"]
    folder: Text = Field(description="The folder of its tables.", examples=["tables"])
    service: Text = Field(description="Airflow connection of the catalogue service.", examples=["lake_catalogue"])
    files: Text | None = Field(None, description="Airflow connection of the tables.", examples=["lake_files"])


def open_lake(
    settings: LakeStore, *, base: Path, scratch: Path, credentials: Credentials | None, database_url: str, **_: object
) -> ParquetContactStore:
    assert (credentials and credentials.options, database_url) == ({"of": "lake_files"}, "lake://lake_catalogue")
    return ParquetContactStore(LocalStorage(base / settings.folder), scratch=scratch)


LAKE = ContactStoreKind(
    name="lake",
    settings=LakeStore,
    opener=f"{__name__}:open_lake",
    objects_connection_key="files",
    database_connection_key="service",
)


@pytest.fixture
def lake_kind() -> Iterator[None]:
    with CONTACT_STORE_KINDS.registered(LAKE):
        yield


@pytest.fixture
def definitions(tmp_path: Path) -> Path:
    folder = tmp_path / "definitions"
    folder.mkdir()
    settings = {
        "environment": {"name": "acme"},
        "licence": {"type": "performance"},
        "contact_store": {"type": "lake", "folder": "..", "service": "lake_catalogue", "files": "lake_files"},
        "storage_locations": {},
        "staging": {"type": "local", "path": "../staging"},
        "state": {"url": "sqlite:///../state.db"},
    }
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    return folder


@pytest.mark.usefixtures("lake_kind")
def test_settings_take_a_registered_kind_and_the_site_opens_it_through_its_connections(
    definitions: Path, tmp_path: Path, parquet_stores: Any, make_contact: Callable[..., dict[str, object]]
) -> None:
    parquet_stores.write([make_contact(1)])
    site = Site(
        definitions,
        clock=lambda: datetime.now(UTC),
        credentials=lambda connection: Credentials({"of": connection}),
        database_url=lambda connection: f"lake://{connection}",
    )

    assert site.open_contact_store(site.settings.contact_store, tmp_path / "scratch").check().contacts == 1


@pytest.mark.usefixtures("lake_kind")
def test_a_store_in_a_database_needs_its_address(definitions: Path, tmp_path: Path) -> None:
    settings = load_definitions(definitions).require_settings().contact_store

    with pytest.raises(DefinitionError, match=r"CONNECTION_UNKNOWN.*nobody here knows the connection 'lake_catalogue'"):
        open_contact_store(settings, base=definitions, scratch=tmp_path)


def test_a_kind_that_nobody_registered_is_refused_with_the_nearest(
    definitions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = definitions / "settings.yaml"
    file.write_text(file.read_text().replace("type: lake", "type: parket"))

    assert main(["--definitions", str(definitions), "validate"]) != 0
    assert "type 'parket' is not one of parquet, postgres. Did you mean 'parquet'?" in capsys.readouterr().out
    with pytest.raises(LookupError, match=r"there is no contact store kind 'lake'\. There are: parquet, postgres"):
        open_contact_store(LakeStore(type="lake", folder=".", service="x"), base=definitions, scratch=tmp_path)


@pytest.mark.usefixtures("lake_kind")
def test_the_json_schema_and_the_reference_show_it() -> None:
    store = definitions_schema()["$defs"]["settings"]["properties"]["contact_store"]
    assert store["discriminator"]["mapping"]["lake"] == "#/$defs/LakeStore"

    assert "### `contact_store` of type `lake`\n\nTables of a lake," in reference.definitions_page()


def test_the_kinds_that_the_product_brings_name_their_connections() -> None:
    parquet, postgres = CONTACT_STORE_KINDS["parquet"], CONTACT_STORE_KINDS["postgres"]
    files = ParquetStore(type="parquet", uri="s3://calls", connection="bucket")
    table = PostgresStore(type="postgres", connection="db", objects="s3://calls", objects_connection="bucket")

    assert (parquet.objects_connection_id(files), parquet.database_connection_id(files)) == ("bucket", None)
    assert (postgres.objects_connection_id(table), postgres.database_connection_id(table)) == ("bucket", "db")
    assert [callable(resolve_name(kind.opener)) for kind in CONTACT_STORE_KINDS] == [True, True]
