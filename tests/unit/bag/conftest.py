from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bulk_export.bag.write import Published, publish_bag
from bulk_export.items.payload_file import PayloadFile
from bulk_export.items.table import item_files, job_items, write_items_csv
from bulk_export.reasons import Reason
from bulk_export.staging.journal import FileResult
from bulk_export.storage.base import Storage
from bulk_export.storage.local import LocalStorage

PREFIX = "weekly/20261123T023000Z_4f1c"
INFO = {
    "Source-Organization": "acme",
    "External-Identifier": "4f1c",
    "External-Description": "Weekly detractors\r\nPayload-Oxum: 1.1",
    "Bagging-Date": "2026-11-23",
    "Bag-Software-Agent": "bulk-contact-export 0.1.0",
}


@dataclass
class Run:
    """A run of five contacts: three delivered, one recycled, one whose transcript is missing."""

    storage: Storage
    scratch: Path
    prefix: str = PREFIX

    def put(self, path: str, content: bytes) -> PayloadFile:
        stored = self.storage.put(f"{self.prefix}/{path}", content)
        return PayloadFile(path, stored.bytes, stored.sha256)

    def deliver(self) -> Iterable[PayloadFile]:
        results = []
        for contact in (100001, 100002, 100003, 100005):
            file = self.put(f"data/media/0001/{contact}.wav", f"audio of {contact}".encode() * 100)
            results.append(FileResult(contact, "media", path=file.path, bytes=file.bytes, sha256=file.sha256))
        for contact in (100001, 100002, 100003):
            file = self.put(f"data/transcripts/0001/{contact}.json", f'{{"contact_id": {contact}}}'.encode())
            results.append(FileResult(contact, "transcript", path=file.path, bytes=file.bytes, sha256=file.sha256))
        results.append(FileResult(100005, "transcript", Reason.TRANSCRIPT_MISSING, "no such object, in the store"))
        contacts = [100001, 100002, 100003, 100004, 100005]
        items = job_items(contacts, [contact == 100004 for contact in contacts], results)
        written = io.BytesIO()
        write_items_csv([items], written)
        return [
            *item_files(items),
            self.put("data/contacts.csv", b"Contact ID\n100001\n"),
            self.put("data/items.csv", written.getvalue()),
            self.put("data/export.yaml", b"name: Weekly\n"),
        ]

    def publish(self, payload: Iterable[PayloadFile] | None = None) -> Published:
        files = self.deliver() if payload is None else payload
        return publish_bag(self.storage, self.prefix, files, INFO, scratch=self.scratch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The run's directory on disk."""
    return tmp_path / "exports" / PREFIX


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "scratch").mkdir()
    return Run(LocalStorage(tmp_path / "exports"), tmp_path / "scratch")
