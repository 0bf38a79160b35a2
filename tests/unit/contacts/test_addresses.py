from __future__ import annotations

from pathlib import Path

import pytest
from obstore.store import MemoryStore

from bulk_export.contacts.addresses import AddressError, check_mounted, locate
from bulk_export.errors import DefinitionError, TransientError
from bulk_export.storage.base import Storage
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.objects import ObjectStorage


@pytest.fixture
def store(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "my store")


@pytest.fixture
def bucket() -> ObjectStorage:
    return ObjectStorage(MemoryStore(), "s3://acme/store")


def nowhere(uri: str) -> tuple[Storage, str]:
    raise DefinitionError("URI_UNSUPPORTED", f"No storage can be opened at {uri}")


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("media/1.wav", "media/1.wav"),
        ("./media//1.wav", "media/1.wav"),
        ("media/x/../1.wav", "media/1.wav"),
        ("media/%20.wav", "media/%20.wav"),
        ("%2e%2e/1.wav", "%2e%2e/1.wav"),
        (r"..\..\1.wav", r"..\..\1.wav"),
        ("file:media/1.wav", "file:media/1.wav"),
    ],
)
def test_a_relative_address_lies_below_the_root(store: LocalStorage, uri: str, key: str) -> None:
    assert locate(uri, store) == (store, key)


@pytest.mark.parametrize(
    "uri",
    [
        "{path}/media/a b.wav",
        "{path}//media/./a b.wav",
        "{uri}/media/a%20b.wav",
        "file://{path}/media/a b.wav",
        "file://localhost{path}/media/a%20b.wav",
    ],
)
def test_an_absolute_address_with_the_stores_own_lies_below_the_root(store: LocalStorage, uri: str) -> None:
    assert locate(uri.format(path=store.path(""), uri=store.uri), store, nowhere) == (store, "media/a b.wav")


def test_a_percent_in_a_path_or_a_bucket_is_a_percent(store: LocalStorage, bucket: ObjectStorage) -> None:
    assert locate(f"{store.path('')}/a%20b.wav", store, nowhere) == (store, "a%20b.wav")
    assert locate("s3://acme/store/a%20b.wav", bucket, nowhere) == (bucket, "a%20b.wav")


@pytest.mark.parametrize("uri", ["../secret.wav", "media/../../secret.wav", "media/../../my store/1.wav", ".."])
def test_a_relative_address_never_leads_out(store: LocalStorage, uri: str) -> None:
    with pytest.raises(AddressError, match="leads out of the store"):
        locate(uri, store)


def test_the_stores_own_address_does_not_open_its_neighbours(store: LocalStorage, bucket: ObjectStorage) -> None:
    path = store.path("")
    for uri in (f"{path}/../secret.wav", f"{store.uri}/%2e%2e/secret.wav", f"{store.uri}/x%2F..%2F../secret.wav"):
        with pytest.raises(AddressError, match="leads out of the store"):
            locate(uri, store, nowhere)
    with pytest.raises(AddressError, match="leads out of the store"):
        locate("s3://acme/store/../secret.wav", bucket, nowhere)
    for uri, root in ((f"{path}-other/1.wav", store), ("s3://acme/store-other/1.wav", bucket)):
        with pytest.raises(AddressError, match="lies outside of the store"):
            locate(uri, root)


@pytest.mark.parametrize("uri", ["", ".", "media/..", "media/", "/srv/media/", "s3://acme/", "file:///srv/media%2F"])
def test_a_folder_is_no_object(store: LocalStorage, uri: str) -> None:
    with pytest.raises(AddressError, match="names no object"):
        locate(uri, store, nowhere)


@pytest.mark.parametrize("uri", ["a\0b", "media/\n1.wav", "/srv/a\tb.wav", "s3://acme/a\0b", "file:///srv/a%00b.wav"])
def test_an_address_with_control_characters_names_nothing(store: LocalStorage, uri: str) -> None:
    with pytest.raises(AddressError, match="has control characters"):
        locate(uri, store, nowhere)


@pytest.mark.parametrize("uri", ["/srv/media/1.wav", "//srv/1.wav", "file:///srv/a%20b.wav", "s3://acme/other/1.wav"])
def test_any_other_absolute_address_is_for_the_resolver_as_it_stands(
    store: LocalStorage, tmp_path: Path, uri: str
) -> None:
    other, asked = LocalStorage(tmp_path), []

    def resolve(uri: str) -> tuple[Storage, str]:
        asked.append(uri)
        return other, "1.wav"

    assert locate(uri, store, resolve) == (other, "1.wav")
    assert asked == [uri]


def test_what_cannot_be_opened_is_told_without_the_address(store: LocalStorage) -> None:
    with pytest.raises(AddressError) as caught:
        locate("ftp://maria@acme.example/1.wav", store, nowhere)
    assert str(caught.value) == "cannot be opened (URI_UNSUPPORTED)"


def test_a_store_that_is_not_mounted_is_no_fault_of_its_contacts(tmp_path: Path) -> None:
    check_mounted(LocalStorage(tmp_path))

    with pytest.raises(TransientError, match="STORAGE_UNREACHABLE"):
        check_mounted(LocalStorage(tmp_path / "nothing"))
