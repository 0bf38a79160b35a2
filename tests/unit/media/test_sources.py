from pathlib import Path

import pytest

from bulk_export.media.faults import MediaFaultError
from bulk_export.media.sources import locate
from bulk_export.reasons import Reason
from bulk_export.storage.local import LocalStorage


@pytest.fixture
def store(tmp_path):
    root = tmp_path / "my store"
    root.mkdir()
    return LocalStorage(root)


@pytest.mark.parametrize(
    ("uri", "key"),
    [
        ("media/1.wav", "media/1.wav"),
        ("./media//1.wav", "media/1.wav"),
        ("media/x/../1.wav", "media/1.wav"),
        ("media/%20.wav", "media/%20.wav"),
    ],
)
def test_a_relative_uri_lies_below_the_root(store, uri, key):
    assert locate(uri, store) == (store, key)


def test_an_absolute_uri_with_the_stores_own_address_lies_below_the_root(store):
    root = store.path("")
    assert locate(f"{root}/media/1.wav", store) == (store, "media/1.wav")
    assert locate(f"{store.uri}/media/a%20b.wav", store) == (store, "media/a b.wav")


@pytest.mark.parametrize(
    "uri",
    ["../secret.wav", "media/../../secret.wav", "..", ".", "/etc/passwd", "file:///etc/passwd", "a\0b", "s3://b/k"],
)
def test_what_leads_out_of_the_root_is_missing(store, uri):
    with pytest.raises(MediaFaultError) as raised:
        locate(uri, store)
    assert raised.value.reason == Reason.MEDIA_MISSING


def test_the_stores_address_does_not_open_its_neighbours(store):
    root = store.path("")
    for uri in (f"{root}/../secret.wav", f"{store.uri}/%2e%2e/secret.wav", f"{root}-other/1.wav"):
        with pytest.raises(MediaFaultError):
            locate(uri, store)


def test_other_absolute_uris_are_for_the_resolver(store, tmp_path):
    other = LocalStorage(tmp_path)

    def resolve(uri):
        if uri.startswith("s3://known/"):
            return other, Path(uri).name
        raise LookupError("no connection for this bucket")

    assert locate("s3://known/1.wav", store, resolve) == (other, "1.wav")
    with pytest.raises(MediaFaultError, match="no connection for this bucket"):
        locate("s3://unknown/1.wav", store, resolve)
