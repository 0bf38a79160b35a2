from __future__ import annotations

from pathlib import Path

import pytest
from obstore.store import MemoryStore

from bulk_export.contacts.addresses import AddressError, Addresses, OutsideError, check_mounted
from bulk_export.errors import TransientError
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.objects import ObjectStorage
from bulk_export.storage.reading import read


@pytest.fixture
def store(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "my store")


@pytest.fixture
def bucket() -> ObjectStorage:
    return ObjectStorage(MemoryStore(), "s3://acme/store")


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
    assert Addresses(store).locate(uri) == (store, key)


@pytest.mark.parametrize(
    "uri",
    [
        "{path}/media/a b.wav",
        "/{path}//media/./a b.wav",
        "{path}/media/x/../a b.wav",
        "{uri}/media/a%20b.wav",
        "file://{path}/media/a b.wav",
        "file://localhost{path}/media/a%20b.wav",
    ],
)
def test_an_absolute_address_with_the_stores_own_lies_below_the_root(store: LocalStorage, uri: str) -> None:
    assert Addresses(store).locate(uri.format(path=store.path(""), uri=store.uri)) == (store, "media/a b.wav")


def test_a_percent_in_a_path_or_a_bucket_is_a_percent(store: LocalStorage, bucket: ObjectStorage) -> None:
    assert Addresses(store).locate(f"{store.path('')}/a%20b.wav") == (store, "a%20b.wav")
    assert Addresses(bucket).locate("s3://acme/store/a%20b.wav") == (bucket, "a%20b.wav")


@pytest.mark.parametrize("uri", ["../secret.wav", "media/../../secret.wav", "media/../../my store/1.wav", ".."])
def test_a_relative_address_never_leads_out(store: LocalStorage, bucket: ObjectStorage, uri: str) -> None:
    for root in (store, bucket):
        with pytest.raises(OutsideError, match="leads out of the store"):
            Addresses(root).locate(uri)


def test_the_stores_own_address_does_not_open_its_neighbours(store: LocalStorage, bucket: ObjectStorage) -> None:
    path = store.path("")
    for uri in (
        *(f"{path}/../secret.wav", f"{store.uri}/%2e%2e/secret.wav", f"{store.uri}/x%2F..%2F../secret.wav"),
        *(f"{path}-other/1.wav", "/etc/hostname", "//etc/hostname", "file:///etc/hostname", "s3://acme/store/1.wav"),
        *("ftp://maria@acme.example/1.wav", "http://acme.example/1.wav", "file://nas/share/1.wav", "data://x"),
    ):
        with pytest.raises(OutsideError):
            Addresses(store).locate(uri)
    for uri in ("s3://acme/store/../secret.wav", "s3://acme/store-other/1.wav", "s3://acme/1.wav", f"{path}/1.wav"):
        with pytest.raises(OutsideError):
            Addresses(bucket).locate(uri)


def test_places_allowed_are_read_and_nothing_beside_them(
    tmp_path: Path, store: LocalStorage, bucket: ObjectStorage
) -> None:
    recorder, mirror = LocalStorage(tmp_path / "recorder"), ObjectStorage(MemoryStore(), "s3://acme/mirror")
    addresses = Addresses(store, (recorder, mirror))

    assert addresses.locate(f"{tmp_path}/recorder/1.wav") == (recorder, "1.wav")
    assert addresses.locate("s3a://acme/mirror/x?y#z.wav") == (mirror, "x?y#z.wav")
    assert Addresses(bucket, (recorder,)).locate(f"file://{tmp_path}/recorder/a%20b") == (recorder, "a b")
    for uri in (f"{tmp_path}/recorder2/1.wav", "s3://acme/mirrors/1.wav", "az://acme/mirror/1.wav"):
        with pytest.raises(OutsideError, match=r"lies outside of contact_store\.allowed"):
            addresses.locate(uri)


def test_links_are_followed_to_where_they_lead(tmp_path: Path, store: LocalStorage) -> None:
    store.put("media/1.wav", b"inside")
    for name in ("secret", "recorder"):
        LocalStorage(tmp_path / name).put("deep/1.wav", name.encode())
    Path(store.path("media/link.wav")).symlink_to(tmp_path / "secret/deep/1.wav")
    Path(store.path("media/folder")).symlink_to(tmp_path / "secret")
    Path(store.path("recorder")).symlink_to(tmp_path / "recorder")
    Path(store.path("media/same.wav")).symlink_to("1.wav")
    addresses = Addresses(store, (LocalStorage(tmp_path / "recorder"),))

    for uri in ("media/link.wav", "media/folder/deep/1.wav", f"{store.uri.replace(' ', '%20')}/media/link.wav"):
        with pytest.raises(OutsideError, match=r"leads out of contact_store\.allowed by a link"):
            addresses.locate(uri)
    assert read(*addresses.locate("recorder/deep/1.wav")) == b"recorder"
    assert read(*addresses.locate("media/same.wav")) == b"inside"


def test_a_store_below_a_link_is_the_same_store(tmp_path: Path, store: LocalStorage) -> None:
    store.put("1.wav", b"sound")
    Path(tmp_path / "linked").symlink_to(store.path(""))
    addresses = Addresses(LocalStorage(tmp_path / "linked"))

    for uri in ("1.wav", f"{tmp_path}/linked/1.wav", f"{store.path('')}/1.wav"):
        assert read(*addresses.locate(uri)) == b"sound"


@pytest.mark.parametrize("uri", ["", ".", "media/..", "media/", "{path}/media/", "{uri}/media%2F", "{path}"])
def test_a_folder_is_no_object(store: LocalStorage, uri: str) -> None:
    with pytest.raises(AddressError, match="names no object"):
        Addresses(store).locate(uri.format(path=store.path(""), uri=store.uri))


@pytest.mark.parametrize("uri", ["a\0b", "media/\n1.wav", "/srv/a\tb.wav", "s3://acme/a\0b", "file:///srv/a%00b.wav"])
def test_an_address_with_control_characters_names_nothing(store: LocalStorage, uri: str) -> None:
    with pytest.raises(AddressError, match="has control characters"):
        Addresses(store).locate(uri)


@pytest.mark.parametrize("key", ["media//1.wav", "./1.wav", "a/../1.wav", "//1.wav", "media/1.wav/", "a/."])
def test_the_key_of_a_bucket_is_never_another_ones(bucket: ObjectStorage, key: str) -> None:
    with pytest.raises(AddressError, match=r"has empty, '\.' or '\.\.' parts"):
        Addresses(bucket).locate(f"s3://acme/store/{key}")


def test_what_is_outside_is_told_without_the_address(store: LocalStorage) -> None:
    with pytest.raises(OutsideError) as caught:
        Addresses(store).locate("ftp://maria@acme.example/1.wav")
    assert str(caught.value) == "lies outside of contact_store.allowed"


def test_a_store_that_is_not_mounted_is_no_fault_of_its_contacts(tmp_path: Path) -> None:
    check_mounted(LocalStorage(tmp_path))

    with pytest.raises(TransientError, match="STORAGE_UNREACHABLE"):
        check_mounted(LocalStorage(tmp_path / "nothing"))
