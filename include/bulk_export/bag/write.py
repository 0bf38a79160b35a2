"""Publish a run as a bag: tag files, then the commit marker.

Nothing that was delivered is read back: sizes and digests come from the puts, and listings say that they are there.
`tagmanifest-sha256.txt` is the commit marker; a directory without it is not finished, whatever else is in it.
"""

from __future__ import annotations

import builtins
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from bulk_export.bag.completeness import TagFile, check_stored
from bulk_export.bag.manifest import PAYLOAD_MANIFEST, TAG_MANIFEST, manifest_line, sorted_files
from bulk_export.errors import RefusedError
from bulk_export.items.payload_file import PayloadFile
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import Durability, UnfinishedWrites

BAG_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")
_NOT_PRINTABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Published:
    """A finished bag.

    Attributes:
        manifest_sha256: digest of `manifest-sha256.txt`, which pins every file of the run.
        files: payload files.
        bytes: their size together.
        tags: the files beside them, without the marker.
        marker: content of the marker.
    """

    manifest_sha256: str
    files: int
    bytes: int
    tags: Mapping[str, TagFile]
    marker: builtins.bytes


def publish_bag(
    destination: Storage,
    run_prefix: str,
    payload: Iterable[PayloadFile],
    info: Mapping[str, str],
    *,
    scratch: Path,
    before_marker: Callable[[Published], None] = lambda published: None,
) -> Published:
    """Write the tag files and, last, the commit marker.

    The marker follows when everything before it is durable, and is seen to be there.

    Args:
        destination: where the payload is stored already, under `<run_prefix>/data/`.
        run_prefix: the run's directory, such as `weekly-detractors/20261123T023000Z_4f1c`.
        payload: every file below `data/`, in any order, as the puts reported them.
        info: lines of `bag-info.txt` in their order, `Bagging-Date` among them; `Payload-Oxum` is added.
        scratch: a local directory to build the manifest in.
        before_marker: called with all that is written by then; what it raises prevents the marker.

    Raises:
        ValueError: a payload path outside `data/`, one path with two contents, or a label that is none.
        TransientError: FILES_MISSING, the marker was put and is not there.
    """
    folder = run_prefix.rstrip("/") + "/"
    withdraw_marker(destination, folder)
    if isinstance(destination, UnfinishedWrites):
        destination.sweep(folder)
    with TemporaryDirectory(dir=scratch) as own:
        manifest = Path(own, PAYLOAD_MANIFEST)
        files, total = _write_manifest(payload, manifest, Path(own))
        tags: list[tuple[str, bytes | Path]] = [
            ("bag-info.txt", _bag_info({**info, "Payload-Oxum": f"{total}.{files}"})),
            ("bagit.txt", BAG_DECLARATION),
            (PAYLOAD_MANIFEST, manifest),
        ]
        written = {name: _put(destination, folder + name, content) for name, content in tags}
    _make_durable(destination, folder)
    marker = "".join(manifest_line(name, tag.stored.sha256) for name, tag in written.items()).encode()
    published = Published(written[PAYLOAD_MANIFEST].stored.sha256, files, total, written, marker)
    before_marker(published)
    tag = _put(destination, folder + TAG_MANIFEST, marker)
    _make_durable(destination, folder)
    check_stored(destination, folder, TAG_MANIFEST, tag)
    return published


def withdraw_marker(destination: Storage, run_prefix: str) -> None:
    """Withdraw the marker of a directory that is not finished any more.

    Raises:
        RefusedError: STRAY_FILES, it may not be deleted.
    """
    marker = f"{run_prefix.rstrip('/')}/{TAG_MANIFEST}"
    if destination.find(marker) is None:
        return
    try:
        destination.delete([marker])
    except RefusedError as error:
        raise RefusedError(
            "STRAY_FILES",
            f"{destination.uri}/{marker} says that the directory is finished, which it is not, and may not be deleted",
            hint="Delete it, or run the export again as a new run.",
        ) from error


def _put(destination: Storage, key: str, content: bytes | Path) -> TagFile:
    with BytesIO(content) if isinstance(content, bytes) else content.open("rb") as stream:
        md5 = hashlib.file_digest(stream, partial(hashlib.md5, usedforsecurity=False)).hexdigest()
    return TagFile(destination.put(key, content), md5)


def _make_durable(destination: Storage, folder: str) -> None:
    if isinstance(destination, Durability):  # a bucket's acknowledged PUT is durable already
        destination.make_durable(folder)


def _write_manifest(payload: Iterable[PayloadFile], manifest: Path, scratch: Path) -> tuple[int, int]:
    files = total = 0
    with manifest.open("w", encoding="utf-8", newline="") as out:
        for file in sorted_files(payload, scratch):
            out.write(manifest_line(file.path, file.sha256))
            files += 1
            total += file.bytes
    return files, total


def _bag_info(info: Mapping[str, str]) -> bytes:
    for label in info:
        if not _LABEL.fullmatch(label):
            raise ValueError(f"{label!r} is no label for bag-info.txt")
    # A value is one line: a name with a line break in it must not forge a label of its own.
    return "".join(f"{label}: {_NOT_PRINTABLE.sub(' ', value).strip()}\n" for label, value in info.items()).encode()
