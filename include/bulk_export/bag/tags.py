"""Read the tag files of a bag for a verification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from bulk_export.bag.faults import FaultKind
from bulk_export.bag.manifest import PAYLOAD_FOLDER, parse_line
from bulk_export.bag.write import BAG_DECLARATION
from bulk_export.errors import DefinitionError
from bulk_export.storage.keys import check_key


class BagReader(Protocol):
    """The run under verification: lines to read, faults to note."""

    def add(self, path: str, kind: FaultKind, expected: object = "", found: object = "") -> None:
        """Note a fault."""
        ...

    def text(self, path: str) -> Iterator[tuple[int, str]]:
        """Numbered lines of a file.

        None, and a fault, when it cannot be read.
        """
        ...

    def has(self, path: str) -> bool:
        """Whether the file is there."""
        ...


def check_declaration(run: BagReader) -> None:
    """`bagit.txt` says BagIt 1.0 and UTF-8, and nothing else."""
    expected = BAG_DECLARATION.decode().splitlines()
    found = [line for _, line in run.text("bagit.txt")]
    if found != expected and run.has("bagit.txt"):
        run.add("bagit.txt", FaultKind.DECLARATION, " / ".join(expected), " / ".join(found)[:200])


def read_manifest(run: BagReader, name: str, *, payload: bool) -> dict[str, str]:
    """Digest by path.

    A line that is none, that names a file twice or one it must not name, is a fault.
    """
    listed: dict[str, str] = {}
    for number, line in run.text(name):
        parsed = parse_line(line)
        where = f"{name}:{number}"
        if parsed is None:
            run.add(where, FaultKind.MALFORMED, "<sha256>  <path>", repr(line[:120]))
        elif not _fits(parsed[0], payload=payload):
            run.add(where, FaultKind.MALFORMED, f"a path {'in' if payload else 'out'}side data/", repr(parsed[0][:120]))
        elif parsed[0] in listed:
            run.add(where, FaultKind.MALFORMED, "each path once", repr(parsed[0][:120]))
        else:
            listed[parsed[0]] = parsed[1]
    return listed


def payload_oxum(run: BagReader) -> str | None:
    """The Payload-Oxum of `bag-info.txt`; None, and a fault, when there is none."""
    for _, line in run.text("bag-info.txt"):
        label, colon, value = line.partition(":")
        if colon and label.strip().lower() == "payload-oxum":
            return value.strip()
    if run.has("bag-info.txt"):
        run.add("bag-info.txt", FaultKind.OXUM, "a Payload-Oxum line")
    return None


def _fits(path: str, *, payload: bool) -> bool:
    try:
        check_key(path)  # a manifest must not make anybody read outside the bag
    except DefinitionError:
        return False
    return path.startswith(PAYLOAD_FOLDER) == payload
