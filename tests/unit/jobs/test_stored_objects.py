from __future__ import annotations

from pathlib import Path

import pytest

from bulk_export.contacts.addresses import Addresses
from bulk_export.contacts.unreadable_objects import IN_A_ROW
from bulk_export.errors import DefinitionError, RefusedError, TransientError
from bulk_export.jobs.item_fault import ItemFault
from bulk_export.jobs.stored_objects import StoredObjects
from bulk_export.reasons import Reason
from bulk_export.storage.faults import unreadable
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.reading import read


@pytest.fixture
def store(tmp_path: Path) -> LocalStorage:
    storage = LocalStorage(tmp_path / "store")
    storage.put("media/1.wav", b"sound")
    return storage


@pytest.fixture
def objects(store: LocalStorage) -> StoredObjects:
    return StoredObjects(Addresses(store), Reason.MEDIA_MISSING, Reason.MEDIA_CORRUPT)


def denied() -> bytes:
    raise RefusedError("STORAGE_DENIED", "could not read 1.wav")


def test_an_object_is_read_where_its_address_says(objects: StoredObjects) -> None:
    storage, key = objects.locate("media/../media/1.wav")
    assert objects.read(storage, key, lambda: read(storage, key)) == b"sound"


@pytest.mark.parametrize(
    ("uri", "reason", "detail"),
    [
        ("../secret.wav", Reason.ADDRESS_NOT_ALLOWED, "address leads out of the store"),
        ("s3://elsewhere/1.wav", Reason.ADDRESS_NOT_ALLOWED, "address lies outside of contact_store.allowed"),
        ("media/", Reason.MEDIA_MISSING, "address names no object"),
        ("media/2.wav", Reason.MEDIA_MISSING, "no such object"),
        ("media/" + "x" * 5_000, Reason.MEDIA_MISSING, "no such object"),
    ],
)
def test_an_address_without_an_object_is_a_fault(objects: StoredObjects, uri: str, reason: Reason, detail: str) -> None:
    with pytest.raises(ItemFault) as fault:
        storage, key = objects.locate(uri)
        objects.read(storage, key, lambda: read(storage, key))
    assert (fault.value.reason, fault.value.detail) == (reason, detail)


def test_details_name_the_key_where_they_shall(store: LocalStorage) -> None:
    objects = StoredObjects(Addresses(store), Reason.MEDIA_MISSING, Reason.MEDIA_CORRUPT, shows_keys=True)
    with pytest.raises(ItemFault, match=r"no such object: media/2\.wav"):
        objects.read(store, "media/2.wav", lambda: read(store, "media/2.wav"))
    with pytest.raises(ItemFault, match=r"access denied: media/2\.wav"):
        objects.read(store, "media/2.wav", denied)


def test_a_key_the_storage_does_not_take_is_a_fault(objects: StoredObjects, store: LocalStorage) -> None:
    with pytest.raises(DefinitionError) as refused:
        read(store, "/etc/passwd")
    with pytest.raises(ItemFault) as fault:
        objects.read(store, "/etc/passwd", lambda: read(store, "/etc/passwd"))
    assert fault.value.detail == refused.value.message


def test_refusals_alone_are_the_stores_own_error(objects: StoredObjects) -> None:
    for _ in range(19):
        with pytest.raises(ItemFault, match="access denied"):
            objects.read(store, "1.wav", denied)
    with pytest.raises(RefusedError, match="STORAGE_DENIED"):
        objects.read(store, "1.wav", denied)


def test_refusals_beside_readable_objects_stay_faults(objects: StoredObjects, store: LocalStorage) -> None:
    objects.read(store, "media/1.wav", lambda: read(store, "media/1.wav"))
    for _ in range(50):
        with pytest.raises(ItemFault, match="access denied"):
            objects.read(store, "1.wav", denied)


def test_a_storage_that_is_down_ends_the_job(objects: StoredObjects) -> None:
    def down() -> bytes:
        raise TransientError("STORAGE_UNREACHABLE", "no answer")

    with pytest.raises(TransientError, match="STORAGE_UNREACHABLE"):
        objects.read(store, "1.wav", down)


def broken() -> bytes:
    raise unreadable("/srv/media/1.wav", "Input/output error")


def test_an_object_that_cannot_be_read_is_a_fault_of_its_own_kind(objects: StoredObjects) -> None:
    with pytest.raises(ItemFault) as fault:
        objects.read(store, "media/1.wav", broken)
    assert fault.value.reason is Reason.MEDIA_CORRUPT
    assert fault.value.detail == "it cannot be read (Input/output error)"


def test_objects_that_cannot_be_read_one_after_the_other_are_an_outage(objects: StoredObjects) -> None:
    for _ in range(IN_A_ROW - 1):
        with pytest.raises(ItemFault):
            objects.read(store, "media/1.wav", broken)
    with pytest.raises(TransientError, match=rf"STORAGE_UNREACHABLE: .*1\.wav.*\({IN_A_ROW} objects in a row\)"):
        objects.read(store, "media/1.wav", broken)


def test_a_readable_object_in_between_shows_that_it_is_no_outage(objects: StoredObjects, store: LocalStorage) -> None:
    for _ in range(3):
        for _ in range(IN_A_ROW - 1):
            with pytest.raises(ItemFault):
                objects.read(store, "media/1.wav", broken)
        objects.read(store, "media/1.wav", lambda: read(store, "media/1.wav"))
