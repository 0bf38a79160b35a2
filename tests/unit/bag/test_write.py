from __future__ import annotations

import hashlib
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import bagit
import pytest
from obstore.store import MemoryStore

from bulk_export.bag.verify import verify_run
from bulk_export.items.payload_file import PayloadFile
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.objects import ObjectStorage
from bulk_export.storage.reading import read

from .conftest import INFO, PREFIX, Run

TAG_FILES = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"]


def test_the_bagit_library_accepts_the_bag(run: Run, folder: Path) -> None:
    run.publish()

    bag = bagit.Bag(str(folder))

    assert bag.validate(completeness_only=False)
    assert bag.version_info == (1, 0)
    assert bag.info["External-Identifier"] == "4f1c"


def test_sha256sum_accepts_both_manifests(run: Run, folder: Path) -> None:
    run.publish()

    for manifest, lines in (("manifest-sha256.txt", 10), ("tagmanifest-sha256.txt", 3)):
        checked = subprocess.run(
            ["sha256sum", "--check", "--strict", manifest], cwd=folder, capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout.count(": OK\n")) == (0, lines), checked.stderr


def test_what_is_published_is_counted_and_pinned(run: Run, folder: Path) -> None:
    published = run.publish()

    payload = [path for path in (folder / "data").rglob("*") if path.is_file()]
    assert (published.files, published.bytes) == (len(payload), sum(path.stat().st_size for path in payload))
    manifest = (folder / "manifest-sha256.txt").read_bytes()
    assert published.manifest_sha256 == hashlib.sha256(manifest).hexdigest()
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == TAG_FILES


def test_a_line_break_in_a_value_cannot_forge_a_label(run: Run, folder: Path) -> None:
    published = run.publish()

    assert (folder / "bag-info.txt").read_text().splitlines() == [
        "Source-Organization: acme",
        "External-Identifier: 4f1c",
        "External-Description: Weekly detractors Payload-Oxum: 1.1",
        "Bagging-Date: 2026-11-23",
        "Bag-Software-Agent: bulk-contact-export 0.1.0",
        f"Payload-Oxum: {published.bytes}.{published.files}",
    ]


def test_manifests_are_sorted_whatever_order_files_come_in(run: Run, folder: Path) -> None:
    payload = [*run.deliver()]
    run.publish(reversed(payload))
    backwards = (folder / "manifest-sha256.txt").read_bytes()
    run.publish(payload)

    paths = [line.split("  ")[1] for line in backwards.decode().splitlines()]
    assert paths == sorted(paths)
    assert backwards == (folder / "manifest-sha256.txt").read_bytes()


def test_publishing_again_converges(run: Run, folder: Path) -> None:
    first = run.publish()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert run.publish() == first
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_marker_of_an_earlier_attempt_is_withdrawn_before_anything_changes(run: Run, folder: Path) -> None:
    run.publish()

    def breaking() -> Iterator[PayloadFile]:
        yield from run.deliver()
        raise ConnectionError

    with pytest.raises(ConnectionError):
        run.publish(breaking())

    assert not (folder / "tagmanifest-sha256.txt").exists()


@pytest.mark.faults("kill")
@pytest.mark.parametrize("killed_at", ["bag-info.txt", "bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"])
def test_a_publish_that_is_killed_leaves_no_marker_and_can_be_repeated(run: Run, folder: Path, killed_at: str) -> None:
    code = """
        import os, signal, sys
        from pathlib import Path
        from bulk_export.items.payload_file import PayloadFile
        from bulk_export.bag.write import publish_bag
        from bulk_export.storage.local import LocalStorage

        class Killed(LocalStorage):
            def put(self, key, content):
                if key.endswith("/" + sys.argv[4]):
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().put(key, content)

        root, scratch, prefix = sys.argv[1:4]
        publish_bag(Killed(Path(root)), prefix, [PayloadFile("data/x", 1, "0" * 64)], {}, scratch=Path(scratch))
    """
    exports = folder.parents[1]
    command = [sys.executable, "-c", textwrap.dedent(code), str(exports), str(run.scratch), PREFIX, killed_at]
    assert subprocess.run(command, check=False).returncode < 0

    assert not (folder / "tagmanifest-sha256.txt").exists()
    assert not verify_run(run.storage, PREFIX).ok

    run.publish()
    assert verify_run(run.storage, PREFIX).faults == ()


@pytest.mark.faults("kill")
def test_what_a_killed_writer_left_is_swept_before_publishing(run: Run, folder: Path) -> None:
    payload = run.deliver()
    (folder / "data" / "media" / "0001" / ".part-0123456789abcdef").write_bytes(b"half a fi")

    run.publish(payload)

    assert bagit.Bag(str(folder)).validate(completeness_only=False)


def test_an_empty_run_is_a_bag_too(run: Run, folder: Path) -> None:
    published = run.publish([run.put("data/contacts.csv", b"")])

    assert (published.files, published.bytes) == (1, 0)
    assert bagit.Bag(str(folder)).validate(completeness_only=False)


def test_a_file_delivered_twice_alike_is_listed_once(run: Run, folder: Path) -> None:
    payload = [*run.deliver()]

    assert run.publish([*payload, *payload]) == run.publish(payload)


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        (PayloadFile("data/contacts.csv", 1, "0" * 64), "delivered twice"),
        (PayloadFile("media/1.wav", 1, "0" * 64), "not below data/"),
    ],
)
def test_a_payload_that_contradicts_itself_is_never_published(
    run: Run, folder: Path, odd: PayloadFile, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        run.publish([*run.deliver(), odd])

    assert not (folder / "tagmanifest-sha256.txt").exists()


def test_a_label_that_is_none_is_refused(run: Run) -> None:
    from bulk_export.bag.write import publish_bag

    with pytest.raises(ValueError, match="no label"):
        publish_bag(run.storage, PREFIX, [], {**INFO, "Two: labels": ""}, scratch=run.scratch)


def test_a_bucket_gets_the_same_bag(run: Run, folder: Path) -> None:
    run.publish()
    bucket = Run(ObjectStorage(MemoryStore(), "memory://"), run.scratch)

    bucket.publish()

    on_disk = LocalStorage(folder.parents[1])
    assert [*bucket.storage.list()] == [*on_disk.list()]
    for entry in on_disk.list():
        assert read(bucket.storage, entry.key) == read(on_disk, entry.key)
    assert verify_run(bucket.storage, PREFIX) == verify_run(on_disk, PREFIX)


def test_nothing_is_left_in_scratch(run: Run) -> None:
    run.publish()

    assert [*run.scratch.iterdir()] == []
