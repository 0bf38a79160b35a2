"""Any bytes in place of one file of a delivered directory: a report, never an exception or a false "valid"."""

from __future__ import annotations

import tempfile
from functools import cache
from io import BytesIO
from pathlib import Path

from bulk_export.bag.verify import verify_run
from bulk_export.bag.write import publish_bag
from bulk_export.items.payload_file import PayloadFile
from bulk_export.items.table import item_files, job_items, write_items_csv
from bulk_export.staging.journal import FileResult
from bulk_export.storage.local import LocalStorage

_FILES = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "data/items.csv")


def run(data: bytes) -> None:
    """The first byte says which file the rest takes the place of; from 128 on only its first half is kept before it."""
    folder, whole = _bag()
    choice = data[0] if data else 0
    name = _FILES[choice % len(_FILES)]
    before = whole[name][: len(whole[name]) // 2] if choice >= 128 else b""
    given = before + data[1:]
    (folder / name).write_bytes(given)
    try:
        report = verify_run(LocalStorage(folder))
    finally:
        (folder / name).write_bytes(whole[name])
    for fault in report.faults:
        assert str(fault).isprintable() or "\n" not in str(fault)
    # The tag manifest vouches for every other file, and nothing for the tag manifest but its own lines.
    if report.ok:
        assert given == whole[name] or name == "tagmanifest-sha256.txt"


@cache
def _bag() -> tuple[Path, dict[str, bytes]]:
    root = Path(tempfile.mkdtemp(prefix="bag-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    storage, results, items = LocalStorage(root), [], BytesIO()
    for contact in (1, 2):
        stored = storage.put(f"run/data/media/0001/{contact}.wav", b"audio" * contact)
        path = f"data/media/0001/{contact}.wav"
        results.append(FileResult(contact, "media", path=path, bytes=stored.bytes, sha256=stored.sha256))
    table = job_items([1, 2], [False, False], results)
    write_items_csv([table], items)
    stored = storage.put("run/data/items.csv", items.getvalue())
    payload = [*item_files(table), PayloadFile("data/items.csv", stored.bytes, stored.sha256)]
    publish_bag(storage, "run", payload, {"Bagging-Date": "2026-11-23"}, scratch=root)
    folder = root / "run"
    assert verify_run(LocalStorage(folder)).ok
    return folder, {name: (folder / name).read_bytes() for name in _FILES}
