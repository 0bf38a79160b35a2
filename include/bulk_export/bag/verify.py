"""Verify a delivered run: every fault at once.

Local or remote; nothing is trusted and nothing is changed.

The tag manifest vouches for the tag files, the manifest for the payload, items.csv for each contact's files, and
Payload-Oxum for the sum. Each is checked against what is really there and against the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from bulk_export.bag.faults import Fault, FaultKind, VerifyReport, shown
from bulk_export.bag.items import ITEMS_FILE, ItemFiles, read_items
from bulk_export.bag.manifest import PAYLOAD_FOLDER, PAYLOAD_MANIFEST, TAG_MANIFEST
from bulk_export.bag.tags import check_declaration, payload_oxum, read_manifest
from bulk_export.errors import RefusedError, UnreadableError
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import Checksums, LocalPaths

LOCAL_THREADS = 2
REMOTE_THREADS = 16
_HASHED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class _Digest:
    """A file's digest; without one, the trouble in reading it; without either it is not there."""

    sha256: str = ""
    trouble: str = ""


@dataclass(slots=True)
class _BagReader:
    """A run's directory: its files and the faults found so far."""

    storage: Storage
    prefix: str
    sizes: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def add(self, path: str, kind: FaultKind, expected: object = "", found: object = "") -> None:
        self.faults.append(Fault(shown(path), kind, str(expected), str(found)))

    def has(self, path: str) -> bool:
        return path in self.sizes

    def text(self, path: str) -> Iterator[tuple[int, str]]:
        """Numbered lines of a tag file; nothing, and a fault, when it cannot be read."""
        try:
            with self.storage.open(self.prefix + path) as stream:
                for number, line in enumerate(stream, start=1):
                    yield number, line.decode("utf-8", "surrogateescape").rstrip("\r\n")
        except FileNotFoundError:
            self.add(path, FaultKind.MISSING)
        except (RefusedError, UnreadableError) as error:
            self.add(path, FaultKind.UNREADABLE, found=_why(error))

    def digest(self, path: str) -> _Digest:
        """SHA-256 of a file: the service's own where it keeps one, else by reading; or why there is none."""
        try:
            if kept := self._kept_checksum(path):
                return _Digest(kept)
            with self.storage.open(self.prefix + path) as stream:
                return _Digest(hashlib.file_digest(stream, "sha256").hexdigest())  # type: ignore[arg-type]
        except FileNotFoundError:
            return _Digest()
        except (RefusedError, UnreadableError) as error:  # no right to read it, or a disk that fails
            return _Digest(trouble=_why(error))

    def _kept_checksum(self, path: str) -> str | None:
        return self.storage.checksum(self.prefix + path) if isinstance(self.storage, Checksums) else None


def _why(error: RefusedError | UnreadableError) -> str:
    return error.message if isinstance(error, RefusedError) else error.cause


def verify_run(storage: Storage, prefix: str = "") -> VerifyReport:
    """Check the run in a directory of the storage.

    The directory is `prefix`, or the storage itself.

    Raises `TransientError` when the storage cannot be reached: that is no fault of the run.
    """
    folder = f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""
    sizes = {entry.key[len(folder) :]: entry.bytes for entry in storage.list(folder)}
    run = _BagReader(storage, folder, sizes)
    payload_sizes = {path: size for path, size in sizes.items() if path.startswith(PAYLOAD_FOLDER)}
    check_declaration(run)
    _check_tags(run)
    manifest = read_manifest(run, PAYLOAD_MANIFEST, payload=True)
    items = read_items(run)
    _check_oxum(run, payload_sizes)
    if run.has(PAYLOAD_MANIFEST):  # its absence is one fault, not one per file
        _check_payload(run, manifest, payload_sizes, items)
        _check_items(run, manifest, items)
    return VerifyReport(
        faults=_each_once(run.faults),
        files=len(payload_sizes),
        bytes=sum(payload_sizes.values()),
        contacts=items.contacts,
    )


def _each_once(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Sorted; of two faults of one kind in one place the one that says more."""
    fullest: dict[tuple[str, FaultKind], Fault] = {}
    for fault in sorted(faults):
        fullest[fault.path, fault.kind] = fault
    return tuple(fullest.values())


def _check_tags(run: _BagReader) -> None:
    if TAG_MANIFEST not in run.sizes:
        run.add(TAG_MANIFEST, FaultKind.UNFINISHED, "the commit marker, written last")
        return
    listed = read_manifest(run, TAG_MANIFEST, payload=False)
    _compare(run, listed, {})
    for path in run.sizes:
        if path not in listed and path != TAG_MANIFEST and not path.startswith(PAYLOAD_FOLDER):
            run.add(path, FaultKind.UNLISTED)
    for required in ("bagit.txt", PAYLOAD_MANIFEST):
        if required not in listed:
            run.add(TAG_MANIFEST, FaultKind.MALFORMED, f"a line for {required}")


def _check_oxum(run: _BagReader, payload_sizes: Mapping[str, int]) -> None:
    expected = payload_oxum(run)
    found = f"{sum(payload_sizes.values())}.{len(payload_sizes)}"
    if expected is not None and expected != found:
        run.add("bag-info.txt", FaultKind.OXUM, f"Payload-Oxum {expected}", found)


def _check_payload(
    run: _BagReader, manifest: Mapping[str, str], payload_sizes: Mapping[str, int], items: ItemFiles
) -> None:
    for path, size in payload_sizes.items():
        if path not in manifest:
            run.add(path, FaultKind.EXTRA, found=f"{size} bytes")
    _compare(run, manifest, {path: size for path, (size, _) in items.files.items()})


def _check_items(run: _BagReader, manifest: Mapping[str, str], items: ItemFiles) -> None:
    if not items.readable:
        return  # said once, not once per file
    for path, (size, sha256) in items.files.items():
        if path not in manifest:
            run.add(path, FaultKind.ITEMS, f"named in {ITEMS_FILE}", f"not in {PAYLOAD_MANIFEST}")
        elif manifest[path] != sha256:
            run.add(path, FaultKind.ITEMS, f"{sha256} in {ITEMS_FILE}", f"{manifest[path]} in {PAYLOAD_MANIFEST}")
        elif run.sizes.get(path, size) > size:  # a shorter one is TRUNCATED already
            run.add(path, FaultKind.ITEMS, f"{size} bytes in {ITEMS_FILE}", f"{run.sizes[path]} bytes")
    for path in manifest:
        if path.startswith(("data/media/", "data/transcripts/")) and path not in items.files:
            run.add(path, FaultKind.ITEMS, f"a contact in {ITEMS_FILE}", "none names it")


def _compare(run: _BagReader, listed: Mapping[str, str], known_sizes: Mapping[str, int]) -> None:
    """Missing, truncated and changed files among the listed ones; a size that is wrong saves the hashing."""
    to_hash = []
    for path in listed:
        size, known = run.sizes.get(path), known_sizes.get(path)
        if size is None:
            run.add(path, FaultKind.MISSING, listed[path])
        elif known is not None and size < known:
            run.add(path, FaultKind.TRUNCATED, f"{known} bytes", f"{size} bytes")
        else:
            to_hash.append(path)
    for path, digest in _digests(run, to_hash):
        if digest.trouble:
            run.add(path, FaultKind.UNREADABLE, listed[path], digest.trouble)
        elif not digest.sha256:
            run.add(path, FaultKind.MISSING, listed[path])
        elif digest.sha256 != listed[path]:
            run.add(path, FaultKind.CHANGED, listed[path], digest.sha256)


def _digests(run: _BagReader, paths: Iterable[str]) -> Iterator[tuple[str, _Digest]]:
    threads = LOCAL_THREADS if isinstance(run.storage, LocalPaths) else REMOTE_THREADS
    remaining = iter(paths)
    with ThreadPoolExecutor(threads) as pool:
        while batch := [*islice(remaining, _HASHED_AT_ONCE)]:
            yield from zip(batch, pool.map(run.digest, batch), strict=True)
