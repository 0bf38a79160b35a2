"""Make the directory of a sample store, whole or not.

One with other things in it is refused; the store is built beside it and renamed when whole.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from bulk_export.errors import DefinitionError
from bulk_export_sample.build import build_store
from bulk_export_sample.request import SampleReport, SampleRequest

MARKER = "sample-store.json"
_FORMAT = "sample-store-1"


def make_sample_store(
    directory: Path,
    *,
    contacts: int,
    seed: int,
    until: datetime,
    days: int = 60,
    media: bool = True,
    dirt: bool = False,
    audio_bytes: int | None = None,
    progress: Callable[[int, int], None] = lambda done, contacts: None,
) -> SampleReport:
    """Make a contact store in a directory, whole or not.

    The same arguments give the same store.

    Args:
        directory: where the store goes; made when absent. When it already is the store of these very arguments,
            nothing is done.
        contacts: number of contacts, root and recycled ones included.
        seed: any number from 0.
        until: aware; every contact starts in the `days` days before it, half of them in the last eight.
        days: how far back contacts go.
        media: write audio, screen video and transcripts; without, only the catalogue.
        dirt: give a few percent of the contacts faults: missing, empty, truncated, foreign files, control characters.
        audio_bytes: make every contact a call with a WAV file of this size (for measuring).
        progress: hears (contacts done, contacts).

    Raises:
        DefinitionError: SAMPLE_ARGUMENTS, DIRECTORY_NOT_EMPTY (other things, or a sample store of other arguments),
            DIRECTORY_UNWRITABLE.
    """
    request = SampleRequest(contacts, seed, until, days, media, dirt, audio_bytes)
    request.refuse_nonsense()
    directory = directory.resolve()
    try:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            return _existing(directory, request)
        directory.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", suffix=".partial", dir=directory.parent))
        try:
            return _build(scratch / "store", directory, request, progress)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        raise DefinitionError(
            "DIRECTORY_UNWRITABLE",
            f"making a sample store in {directory}: {error.strerror or error}",
            hint="Choose a directory that is no mount point, on a disk with room, whose parent you may write to.",
        ) from error


def _build(root: Path, directory: Path, request: SampleRequest, progress: Callable[[int, int], None]) -> SampleReport:
    # Arrow, NumPy and PyAV take half a second: only a store that is really made pays for them.
    root.mkdir()
    report = build_store(root, request, progress)
    marker = {"format": _FORMAT, "arguments": request.as_marker(), "report": asdict(report)}
    (root / MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
    root.rename(directory)  # An empty directory of that name is replaced.
    return report


def _existing(directory: Path, request: SampleRequest) -> SampleReport:
    """The report of the store that is there, if it is the one that was asked for."""
    report = _recorded(directory / MARKER, request)
    if report is None:
        kind = "a sample store made with other arguments" if (directory / MARKER).is_file() else "not empty"
        raise DefinitionError(
            "DIRECTORY_NOT_EMPTY",
            f"making a sample store in {directory}: the directory is {kind}",
            hint="Choose a new directory, or remove this one first.",
        )
    return report


def _recorded(marker: Path, request: SampleRequest) -> SampleReport | None:
    try:
        found = json.loads(marker.read_text(encoding="utf-8"))
        if found["format"] != _FORMAT or found["arguments"] != request.as_marker():
            return None
        return SampleReport(**found["report"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
