"""Keys of S3 are bytes: what looks like a path that could be tidied is another object."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bulk_export.contacts.addresses import Addresses, OutsideError
from bulk_export.definitions.locations import S3Location
from bulk_export.errors import DefinitionError
from bulk_export.storage import open_storage
from bulk_export.storage.base import ByteRange, Entry
from bulk_export.storage.credentials import Credentials
from bulk_export.storage.reading import fetch, read
from bulk_export.storage.s3 import S3Storage
from exact_s3 import ExactS3, exact_s3

ODD = ["media//1.wav", "a/../b.wav", "a/./c.wav", "/lead.wav", "trail/", "media///1.wav", "x/..", "é//ñ %2F+.wav"]


@pytest.fixture(scope="module")
def server() -> Iterator[ExactS3]:
    with exact_s3() as running:
        yield running


@pytest.fixture(scope="module")
def store(server: ExactS3) -> S3Storage:
    location = S3Location(type="s3", bucket="calls", prefix="st", endpoint=server.endpoint, region="us-east-1")
    key = Credentials({"access_key_id": "a", "secret_access_key": "b"})
    opened = open_storage(location, base=Path("/"), credentials=key)
    assert isinstance(opened, S3Storage)
    for key_ in ("media/1.wav", "b.wav", "a/c.wav", "lead.wav", "trail", "x", "é/ñ %2F+.wav"):
        server.objects[f"calls/st/{key_}"] = b"another one's"
    return opened


@pytest.mark.faults("rows")
@pytest.mark.parametrize("key", ODD)
@pytest.mark.parametrize("address", ["{key}", "s3://calls/st/{key}", "s3a://calls/st/{key}"])
def test_an_object_is_the_one_with_exactly_that_key(server: ExactS3, store: S3Storage, key: str, address: str) -> None:
    if address == "{key}" and key.startswith("/"):
        pytest.skip("alone it is a path of this machine")
    server.objects[f"calls/st/{key}"] = f"bytes of {key}".encode()
    server.asked.clear()

    storage, found = Addresses(store).locate(address.format(key=key))

    assert found == key
    assert read(storage, found) == fetch(storage, found, 100).content == f"bytes of {key}".encode()
    with storage.open(found, ByteRange(6, 2)) as part:
        assert part.read() == b"of"
    assert storage.find(found) == Entry(key, len(f"bytes of {key}".encode()))
    assert {asked for _, asked in server.asked} == {f"calls/st/{key}"}


@pytest.mark.faults("rows")
@pytest.mark.parametrize("key", ["media//1.gone", "a/../b.gone", "/lead.gone", "gone/"])
def test_an_object_that_is_not_there_is_missing_beside_one_with_the_tidied_key(
    server: ExactS3, store: S3Storage, key: str
) -> None:
    for tidied in ("media/1.gone", "b.gone", "lead.gone", "gone"):
        server.objects[f"calls/st/{tidied}"] = b"another one's"
    storage, found = Addresses(store).locate(f"s3://calls/st/{key}")
    with pytest.raises(FileNotFoundError):
        fetch(storage, found, 100)
    assert storage.find(found) is None


def test_a_large_object_streams_by_its_exact_key(server: ExactS3, store: S3Storage) -> None:
    content = bytes(range(256)) * 100_000
    server.objects["calls/st/media//big.wav"] = content
    storage, key = Addresses(store).locate("media//big.wav")
    assert fetch(storage, key, 1_000).content is None
    with storage.open(key) as stream:
        assert stream.read() == content


@pytest.mark.faults("rows")
@pytest.mark.parametrize("address", ["../b.wav", "a//../../b.wav", "s3://calls/st/../other/b.wav"])
def test_a_key_that_would_lead_out_if_it_were_tidied_is_outside(store: S3Storage, address: str) -> None:
    with pytest.raises(OutsideError):
        Addresses(store).locate(address)


def test_the_five_verbs_keep_to_paths(store: S3Storage) -> None:
    for verb in (store.open, store.find):
        with pytest.raises(DefinitionError, match="KEY_INVALID"):
            verb("a//b")
    with pytest.raises(DefinitionError, match="KEY_INVALID"):
        store.by_bytes.put("a//b", b"")


def test_a_listing_shows_every_key_as_it_is(server: ExactS3, store: S3Storage) -> None:
    keys = {f"contacts/{name}" for name in ("1", "2", "3", "4", "5//6", "7/./8", "9", "a/b")}
    server.objects.update((f"calls/st/{key}", b"PAR1") for key in keys)

    listed = [entry.key for entry in store.list("contacts/")]

    assert listed == sorted(keys)
