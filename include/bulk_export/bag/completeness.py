"""See that a run's directory is complete.

It holds what its manifests name, and nothing else, by one listing.

What a killed attempt delivered and nobody names is removed. What was delivered and is gone must be delivered again
before anything is published.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bulk_export.bag.listing import Difference, Listed, differences
from bulk_export.errors import RefusedError, TransientError
from bulk_export.stage_registry import STAGES, Phase
from bulk_export.storage.base import Entry, Storage, Stored
from bulk_export.storage.written_once import already_written


@dataclass(frozen=True, slots=True)
class TagFile:
    """A file of the bag beside its payload, as put.

    Attributes:
        stored: its size and digest.
        md5: what a service that keeps it shows as its version.
    """

    stored: Stored
    md5: str


def complete(
    destination: Storage, folder: str, payload: Iterable[Listed], tags: Mapping[str, TagFile], *, scratch: Path
) -> None:
    """Remove what nobody names; see that everything else is there.

    Args:
        destination: the storage location.
        folder: the run's directory in it, with a slash at its end.
        payload: paths below `data/` with their sizes, in ascending order.
        tags: the files beside it.
        scratch: a directory of the caller's for what is found; the caller removes it.

    Raises:
        TransientError: FILES_MISSING, something is not there or was truncated.
        RefusedError: STRAY_FILES, what nobody names may not be deleted; STORAGE_CONFLICT, a tag file has other content.
    """
    strays = _Strays(scratch / "strays")
    missing, first_missing = 0, ""
    found: dict[str, Entry] = {}
    for difference, key in differences(_named(folder, payload, tags), _stored(destination, folder, tags, found)):
        if difference is Difference.STRAY:
            strays.add(key)
        else:
            missing, first_missing = missing + 1, first_missing or key
    if missing:
        raise _missing(missing, first_missing, f"{destination.uri}/{folder}")
    for name, entry in found.items():
        _check_digest(destination, entry, tags[name])
    try:
        destination.delete(strays)
    except RefusedError as error:
        raise RefusedError(
            "STRAY_FILES",
            f"{len(strays)} files of an interrupted attempt are in {destination.uri}/{folder} and may not "
            f"be deleted, such as {next(iter(strays))}",
            hint="Delete them, or run the export again as a new run.",
        ) from error


def check_stored(destination: Storage, folder: str, name: str, tag: TagFile) -> None:
    """See that a file is there that was just put.

    An answer alone proves nothing.

    Raises:
        TransientError, RefusedError: as `complete`.
    """
    entry = destination.find(folder + name)
    if entry is None or entry.bytes != tag.stored.bytes:
        raise _missing(1, folder + name, f"{destination.uri}/{folder}")
    _check_digest(destination, entry, tag)


def _check_digest(destination: Storage, entry: Entry, tag: TagFile) -> None:
    """What the listing shows as version is the MD5 of small objects, unless they are encrypted with a key."""
    if entry.version and entry.version.strip('"').lower() != tag.md5:
        already_written(destination, entry.key, tag.stored, tag.md5)


def _named(folder: str, payload: Iterable[Listed], tags: Mapping[str, TagFile]) -> Iterator[Listed]:
    """Everything the directory must hold, in key order: some tag files sort before `data/`, some after."""
    beside = sorted((name, tag.stored.bytes) for name, tag in tags.items())
    yield from ((folder + name, size) for name, size in beside if name < "data/")
    yield from ((folder + path, size) for path, size in payload)
    yield from ((folder + name, size) for name, size in beside if name > "data/")


def _stored(
    destination: Storage, folder: str, tags: Mapping[str, TagFile], found: dict[str, Entry]
) -> Iterator[Listed]:
    for entry in destination.list(folder):
        name = entry.key.removeprefix(folder)
        if name in tags:
            found[name] = entry
        yield entry.key, entry.bytes


class _Strays:
    """Keys to be deleted, kept in a file: there may be as many as the run has files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0

    def add(self, key: str) -> None:
        # As JSON, because a key of somebody else's may hold any character.
        with self._path.open("a", encoding="ascii") as out:
            out.write(json.dumps(key) + "\n")
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        if self._count:
            with self._path.open(encoding="ascii") as lines:
                yield from map(json.loads, lines)


def _missing(count: int, first: str, directory: str) -> TransientError:
    *others, last = (stage.name for stage in STAGES.of(Phase.DELIVER))
    return TransientError(
        "FILES_MISSING",
        f"{count} files that were delivered to {directory} are not there any more, or were cut, such as {first}",
        hint=f"Clear the run's {', '.join(others)} and {last} tasks: they deliver again what is missing.",
    )
