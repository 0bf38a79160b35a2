from __future__ import annotations

from pathlib import Path

import pytest

from bulk_export.definitions.locations import AzureLocation, GcsLocation, LocalLocation, S3Location
from bulk_export.errors import DefinitionError
from bulk_export.storage import open_storage, open_uri
from bulk_export.storage.capabilities import local_path
from bulk_export.storage.credentials import Credentials


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("../../var/exports", "file:///srv/var/exports"),
        ("/mnt/nas", "file:///mnt/nas"),
        ("exports", "file:///srv/project/definitions/exports"),
        (".", "file:///srv/project/definitions"),
    ],
)
def test_a_relative_path_is_taken_from_the_folder_of_the_settings(path: str, uri: str) -> None:
    location = LocalLocation(type="local", path=path)

    assert open_storage(location, base=Path("/srv/project/definitions")).uri == uri
    assert open_uri(path, base=Path("/srv/project/definitions")).uri == uri


def test_every_kind_of_bucket_opens_without_contacting_it() -> None:
    azure_key = Credentials({"account_key": "c2VjcmV0"})
    opened = [
        open_storage(S3Location(type="s3", bucket="acme", prefix="calls", region="eu-west-1"), base=Path("/")),
        open_storage(
            AzureLocation(type="azure", container="acme", account="acme"), base=Path("/"), credentials=azure_key
        ),
        open_storage(GcsLocation(type="gcs", bucket="acme", prefix="/calls/"), base=Path("/")),
    ]

    assert [storage.uri for storage in opened] == ["s3://acme/calls", "az://acme", "gs://acme/calls"]
    assert [local_path(storage, "") for storage in opened] == [None, None, None]


@pytest.mark.parametrize(
    ("uri", "opened"),
    [
        ("file:///srv/a%20b", "file:///srv/a%20b"),
        ("file://localhost/srv", "file:///srv"),
        ("s3://acme/calls/run-1/", "s3://acme/calls/run-1"),
        ("s3://acme", "s3://acme"),
        ("s3a://acme/x", "s3://acme/x"),
        ("gs://acme/a?b#c", "gs://acme/a?b#c"),
    ],
)
def test_an_address_opens_what_it_names(uri: str, opened: str) -> None:
    assert open_uri(uri, base=Path("/")).uri == opened


@pytest.mark.parametrize(
    "uri",
    [
        "ftp://host/x",
        "file://host/share",
        "s3://",
        "s3://key:secret@acme/x",
        "s3://acme//x",
        "s3://acme/x//",
        "https://user:secret@h/x",
    ],
)
def test_another_address_is_refused_without_repeating_its_secrets(uri: str) -> None:
    with pytest.raises(DefinitionError, match="URI_UNSUPPORTED") as caught:
        open_uri(uri, base=Path("/"))

    assert "secret" not in str(caught.value)


def test_an_option_that_does_not_fit_is_refused_by_location() -> None:
    with pytest.raises(DefinitionError, match=r"STORAGE_INVALID.*s3 storage location acme"):
        open_storage(
            S3Location(type="s3", bucket="acme"), base=Path("/"), credentials=Credentials({"no_such_option": "x"})
        )
