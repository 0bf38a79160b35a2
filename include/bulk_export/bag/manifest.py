"""Manifests: one line per file, `<sha256>  <path>`, as `sha256sum -c` reads it.

Ten million lines are sorted in runs that fit in memory and merged from disk.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from bulk_export.items.payload_file import PayloadFile

PAYLOAD_MANIFEST = "manifest-sha256.txt"
TAG_MANIFEST = "tagmanifest-sha256.txt"
PAYLOAD_FOLDER = "data/"

_SORTED_AT_ONCE = 200_000
_LINE = re.compile(r"([0-9A-Fa-f]{64})[ \t]+\*?(\S.*)")
# RFC 8493, 2.1.3: these three, and no other character, are percent-encoded.
_ENCODED = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_DECODED = re.compile(r"%(25|0[AaDd])")


def manifest_line(path: str, sha256: str) -> str:
    """One line, with its line feed."""
    return f"{sha256}  {_encode(path)}\n"


def parse_line(line: str) -> tuple[str, str] | None:
    """Path and lower-case digest of a line; None for another."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    path = _DECODED.sub(lambda code: chr(int(code[1], 16)), found[2])
    return path, found[1].lower()


def sorted_files(files: Iterable[PayloadFile], scratch: Path) -> Iterator[PayloadFile]:
    """The files in path order, each once.

    At most 200,000 of them are in memory.

    Args:
        files: in any order; the same file twice, as after a retry, is one.
        scratch: a directory of the caller's, for sorted runs; the caller removes it.

    Raises:
        ValueError: a path outside `data/`, or one path with two different contents.
    """
    records = (_record(file) for file in files)
    spilled: list[Path] = []
    while run := sorted(islice(records, _SORTED_AT_ONCE)):
        spilled.append(scratch / f"run-{len(spilled):05d}")
        spilled[-1].write_bytes(b"".join(run))
    with ExitStack() as stack:
        runs: list[BinaryIO] = [stack.enter_context(path.open("rb")) for path in spilled]
        previous = None
        for record in heapq.merge(*runs):
            file = _file(record)
            if previous is not None and file.path == previous.path:
                if file != previous:
                    raise ValueError(f"{file.path} was delivered twice with different contents")
                continue
            yield file
            previous = file


def _record(file: PayloadFile) -> bytes:
    if not file.path.startswith(PAYLOAD_FOLDER):
        raise ValueError(f"{file.path} is not below {PAYLOAD_FOLDER}")
    # NUL sorts before every character of a path, so records sort as their paths do.
    return f"{_encode(file.path)}\0{file.bytes}\0{file.sha256}\n".encode()


def _file(record: bytes) -> PayloadFile:
    path, size, sha256 = record.decode().rstrip("\n").split("\0")
    return PayloadFile(_DECODED.sub(lambda code: chr(int(code[1], 16)), path), int(size), sha256)


def _encode(path: str) -> str:
    for character, code in _ENCODED.items():
        path = path.replace(character, code)
    return path
