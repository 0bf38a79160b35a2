from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
from obstore.store import MemoryStore

from bulk_export.contacts.addresses import Addresses
from bulk_export.contacts.outside import Outside, outside
from bulk_export.contacts.schema import uris_schema
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.objects import ObjectStorage


def table(*rows: tuple[str | None, str | None, str | None]) -> pa.Table:
    return pa.Table.from_pylist(
        [dict(zip(uris_schema().names, (number, *row), strict=True)) for number, row in enumerate(rows)],
        schema=uris_schema(),
    )


def test_what_is_inside_is_nothing_to_report(tmp_path: Path) -> None:
    store = LocalStorage(tmp_path / "store")
    found = outside(Addresses(store), [table(("media/1.wav", None, f"{store.uri}/1.json")), table((None, "\0", "a/"))])
    assert found == Outside(0, 0, 0, ())


def test_addresses_outside_are_counted_and_the_least_that_admits_them_is_named(tmp_path: Path) -> None:
    store, archive = LocalStorage(tmp_path / "store"), ObjectStorage(MemoryStore(), "s3://acme/allowed")
    rows = table(
        ("/mnt/recorder/2026/11/1.wav", "/mnt/recorder/2026/10/1.webm", None),
        ("file:///mnt/recorder/2026/11/2%20a.wav", None, "s3a://acme/calls/a//2.json"),
        ("s3://acme/calls/b/3.wav", "s3://acme/allowed/3.webm", None),
        ("media/4.wav", None, "transcripts/4.json"),
        ("../5.wav", None, "https://acme.example/5.json"),
        ("s3://other/6.wav", None, None),
        ("/srv/7.wav", None, None),
    )

    found = outside(Addresses(store, (archive,)), [rows])

    assert (found.addresses, found.contacts, found.never) == (9, 6, 2)
    assert found.places == ("/mnt/recorder/2026", "/srv", "s3://acme/calls", "s3://other")
    places = (LocalStorage(Path("/mnt/recorder/2026")), LocalStorage(Path("/srv")))
    buckets = tuple(ObjectStorage(MemoryStore(), uri) for uri in ("s3://acme/calls", "s3://other"))
    assert outside(Addresses(store, (archive, *places, *buckets)), [rows]) == Outside(2, 1, 2, ())


def test_a_link_that_leads_out_is_outside_and_its_target_is_named(tmp_path: Path) -> None:
    store = LocalStorage(tmp_path / "store")
    store.put("media/1.wav", b"")
    LocalStorage(tmp_path / "elsewhere").put("deep/2.wav", b"")
    Path(store.path("media/2.wav")).symlink_to(tmp_path / "elsewhere/deep/2.wav")
    Path(store.path("media/folder")).symlink_to(tmp_path / "elsewhere")

    found = outside(Addresses(store), [table(("media/1.wav", "media/2.wav", "media/folder/deep/2.wav"))])

    assert found == Outside(2, 1, 0, (f"{os.path.realpath(tmp_path)}/elsewhere/deep",))
