from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bulk_export.bag.faults import FaultKind, VerifyReport
from bulk_export.bag.manifest import manifest_line
from bulk_export.bag.verify import verify_run
from bulk_export.storage.local import LocalStorage

from .conftest import PREFIX, Run

AUDIO = "data/media/0001/100002.wav"
ITEMS = "data/items.csv"
MANIFEST = "manifest-sha256.txt"
MARKER = "tagmanifest-sha256.txt"


@pytest.fixture
def bag(run: Run, folder: Path) -> Path:
    run.publish()
    return folder


def faults(report: VerifyReport) -> list[tuple[str, str]]:
    return [(fault.path, fault.kind.value) for fault in report.faults]


def reseal(bag: Path, *, payload: bool = True) -> None:
    """Make the manifests fit whatever was done to the bag, as somebody covering it up would."""
    for name, found in ((MANIFEST, bag.glob("data/**/*")), (MARKER, bag.glob("*.txt"))):
        if name == MANIFEST and not payload:
            continue
        lines = [
            manifest_line(str(path.relative_to(bag)), hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(found)
            if path.is_file() and path.name != MARKER
        ]
        (bag / name).write_text("".join(lines))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def truncate(bag: Path) -> None:
    (bag / AUDIO).write_bytes((bag / AUDIO).read_bytes()[:-1])


def flip(bag: Path) -> None:
    content = (bag / AUDIO).read_bytes()
    (bag / AUDIO).write_bytes(b"X" + content[1:])


def test_a_run_as_delivered_has_no_fault(bag: Path, run: Run) -> None:
    report = verify_run(run.storage, PREFIX)

    assert report.ok
    assert (report.faults, report.files, report.contacts) == ((), 10, 5)
    assert report.bytes == sum(path.stat().st_size for path in bag.glob("data/**/*") if path.is_file())


def test_a_run_is_found_from_its_own_directory_too(bag: Path, run: Run) -> None:
    assert verify_run(LocalStorage(bag)) == verify_run(run.storage, PREFIX + "/")


# Each damage, and every fault it must cause and no other.
DAMAGES: dict[str, tuple[Callable[[Path], object], list[tuple[str, str]]]] = {
    "a file is missing": (
        lambda bag: (bag / AUDIO).unlink(),
        [("bag-info.txt", "oxum"), (AUDIO, "missing")],
    ),
    "a file is truncated": (truncate, [("bag-info.txt", "oxum"), (AUDIO, "truncated")]),
    "a byte is changed": (flip, [(AUDIO, "changed")]),
    "a file is longer": (
        lambda bag: (bag / AUDIO).write_bytes((bag / AUDIO).read_bytes() + b"x"),
        [("bag-info.txt", "oxum"), (AUDIO, "changed"), (AUDIO, "items")],
    ),
    "a file is extra": (
        lambda bag: (bag / "data/media/0001/666.wav").write_bytes(b"x"),
        [("bag-info.txt", "oxum"), ("data/media/0001/666.wav", "extra")],
    ),
    "the marker is missing": (lambda bag: (bag / MARKER).unlink(), [(MARKER, "unfinished")]),
    "the manifest is missing": (lambda bag: (bag / MANIFEST).unlink(), [(MANIFEST, "missing")]),
    "bagit.txt is missing": (lambda bag: (bag / "bagit.txt").unlink(), [("bagit.txt", "missing")]),
    "bag-info.txt is missing": (lambda bag: (bag / "bag-info.txt").unlink(), [("bag-info.txt", "missing")]),
    "items.csv is missing": (
        lambda bag: (bag / ITEMS).unlink(),
        [("bag-info.txt", "oxum"), (ITEMS, "missing")],
    ),
    "a manifest line is edited": (
        lambda bag: edit(bag / MANIFEST, (bag / MANIFEST).read_text()[:64], "0" * 64),
        [("data/contacts.csv", "changed"), (MANIFEST, "changed")],
    ),
    "a manifest line is removed": (
        lambda bag: (bag / MANIFEST).write_text((bag / MANIFEST).read_text().partition("\n")[2]),
        [("data/contacts.csv", "extra"), (MANIFEST, "changed")],
    ),
    "a manifest line is garbage": (
        lambda bag: edit(bag / MANIFEST, "  data/contacts.csv", "  data/contacts.csv\nnot a line"),
        [(MANIFEST, "changed"), (f"{MANIFEST}:2", "malformed")],
    ),
    "a manifest names a file twice": (
        lambda bag: edit(bag / MANIFEST, "\n", f"\n{'0' * 64}  data/contacts.csv\n"),
        [(MANIFEST, "changed"), (f"{MANIFEST}:2", "malformed")],
    ),
    "a manifest points outside the bag": (
        lambda bag: edit(bag / MANIFEST, "\n", f"\n{'0' * 64}  data/../../../../scratch\n"),
        [(MANIFEST, "changed"), (f"{MANIFEST}:2", "malformed")],
    ),
    "a manifest names a tag file": (
        lambda bag: edit(bag / MANIFEST, "\n", f"\n{'0' * 64}  bagit.txt\n"),
        [(MANIFEST, "changed"), (f"{MANIFEST}:2", "malformed")],
    ),
    "a tag file is unlisted": (
        lambda bag: (bag / "notes.txt").write_text("hello"),
        [("notes.txt", "unlisted")],
    ),
    "fetch.txt promises what is not there": (
        lambda bag: (bag / "fetch.txt").write_text("http://localhost/ 1 data/x\n"),
        [("fetch.txt", "unlisted")],
    ),
    "the tag manifest does not vouch for the manifest": (
        lambda bag: (bag / MARKER).write_text("".join(line for line in (bag / MARKER).open() if MANIFEST not in line)),
        [(MANIFEST, "unlisted"), (MARKER, "malformed")],
    ),
    "bagit.txt is of another version": (
        lambda bag: (edit(bag / "bagit.txt", "1.0", "0.97"), reseal(bag, payload=False)),
        [("bagit.txt", "declaration")],
    ),
    "bagit.txt is empty": (
        lambda bag: ((bag / "bagit.txt").write_text(""), reseal(bag, payload=False)),
        [("bagit.txt", "declaration")],
    ),
    "Payload-Oxum is wrong": (
        lambda bag: (edit(bag / "bag-info.txt", "\nPayload-Oxum: ", "\nPayload-Oxum: 9"), reseal(bag, payload=False)),
        [("bag-info.txt", "oxum")],
    ),
    "Payload-Oxum is gone": (
        lambda bag: ((bag / "bag-info.txt").write_text("Bagging-Date: 2026-11-23\n"), reseal(bag, payload=False)),
        [("bag-info.txt", "oxum")],
    ),
    "a file is changed and the manifests resealed": (
        lambda bag: (flip(bag), reseal(bag)),
        [(AUDIO, "items")],
    ),
    "a file is truncated and the manifests resealed": (
        lambda bag: (truncate(bag), reseal(bag)),
        [("bag-info.txt", "oxum"), (AUDIO, "items"), (AUDIO, "truncated")],
    ),
    "a file is removed and the manifests resealed": (
        lambda bag: ((bag / AUDIO).unlink(), reseal(bag)),
        [("bag-info.txt", "oxum"), (AUDIO, "items")],
    ),
    "a file no contact has is added and the manifests resealed": (
        lambda bag: ((bag / "data/media/0001/666.wav").write_bytes(b""), reseal(bag)),
        [("bag-info.txt", "oxum"), ("data/media/0001/666.wav", "items")],
    ),
    "items.csv has another header": (
        lambda bag: (edit(bag / ITEMS, "contact_id,", "contact,"), reseal(bag)),
        [("bag-info.txt", "oxum"), (f"{ITEMS}:1", "items")],
    ),
    "items.csv is empty": (
        lambda bag: ((bag / ITEMS).write_text(""), reseal(bag)),
        [("bag-info.txt", "oxum"), (f"{ITEMS}:1", "items")],
    ),
    "items.csv has a row that is none": (
        lambda bag: (edit(bag / ITEMS, "\n100004,masked,RECYCLED,", '\n100004,masked,"RECYCLED,'), reseal(bag)),
        [("bag-info.txt", "oxum"), (f"{ITEMS}:5", "items")],
    ),
    "items.csv has an unknown status": (
        lambda bag: (edit(bag / ITEMS, ",masked,", ",marked,"), reseal(bag)),
        [(f"{ITEMS}:5", "items")],
    ),
    "items.csv has a contact twice": (
        lambda bag: (edit(bag / ITEMS, "\n100004,", "\n100003,"), reseal(bag)),
        [(f"{ITEMS}:5", "items")],
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_named_alone(bag: Path, run: Run, damage: str) -> None:
    act, expected = DAMAGES[damage]
    act(bag)

    assert faults(verify_run(run.storage, PREFIX)) == sorted(expected)


def test_every_kind_of_fault_is_caused_by_some_damage() -> None:
    caused = {kind for _, expected in DAMAGES.values() for _, kind in expected}

    assert caused | {"unreadable"} == {kind.value for kind in FaultKind}


def test_every_fault_is_reported_at_once(bag: Path, run: Run) -> None:
    (bag / AUDIO).unlink()
    (bag / "data/media/0001/100001.wav").write_bytes(b"short")
    (bag / "data/transcripts/0001/100003.json").write_bytes(b'{"contact_id": 100009}')
    (bag / "data/extra").write_bytes(b"")
    (bag / "notes").write_bytes(b"")
    (bag / "bagit.txt").write_text("BagIt-Version: 9\n")

    assert faults(verify_run(run.storage, PREFIX)) == [
        ("bag-info.txt", "oxum"),
        ("bagit.txt", "changed"),
        ("bagit.txt", "declaration"),
        ("data/extra", "extra"),
        ("data/media/0001/100001.wav", "truncated"),
        ("data/media/0001/100002.wav", "missing"),
        ("data/transcripts/0001/100003.json", "changed"),
        ("notes", "unlisted"),
    ]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that can be opened and not read")
def test_a_file_the_disk_cannot_give_is_one_fault_among_others(bag: Path, run: Run) -> None:
    (bag / "data/export.yaml").unlink()
    (bag / "data/export.yaml").symlink_to("/proc/self/mem")
    flip(bag)

    assert faults(verify_run(run.storage, PREFIX)) == [
        ("bag-info.txt", "oxum"),
        ("data/export.yaml", "unreadable"),
        (AUDIO, "changed"),
    ]


def test_a_fault_says_what_was_expected_and_what_was_found(bag: Path, run: Run) -> None:
    before = hashlib.sha256((bag / AUDIO).read_bytes()).hexdigest()
    flip(bag)
    after = hashlib.sha256((bag / AUDIO).read_bytes()).hexdigest()

    (fault,) = verify_run(run.storage, PREFIX).faults

    assert (fault.expected, fault.found) == (before, after)
    assert str(fault) == f"{AUDIO}: changed, expected {before}, found {after}"


def test_nothing_at_all_is_not_a_finished_run(run: Run) -> None:
    report = verify_run(run.storage, "no/such/run")

    assert faults(report) == [
        ("bag-info.txt", "missing"),
        ("bagit.txt", "missing"),
        (ITEMS, "missing"),
        (MANIFEST, "missing"),
        (MARKER, "unfinished"),
    ]
    assert report.files == 0


def test_a_sibling_run_with_a_longer_name_is_not_looked_at(bag: Path, run: Run) -> None:
    shutil.copytree(bag, bag.with_name(bag.name + "-2"))
    shutil.rmtree(bag)

    assert not verify_run(run.storage, PREFIX).ok
    assert verify_run(run.storage, PREFIX + "-2").ok


def test_a_file_with_an_unprintable_name_can_be_reported(bag: Path, run: Run) -> None:
    (bag / "data" / "line\nbreak\x1b[31m").write_bytes(b"")

    extra = [fault.path for fault in verify_run(run.storage, PREFIX).faults if fault.kind == FaultKind.EXTRA]

    assert extra == ["data/line\\nbreak\\x1b[31m"]
