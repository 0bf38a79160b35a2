"""Build a sample store in an empty directory.

Batches of contacts, their objects, one Parquet file a month.

Memory holds the starts of all contacts (16 bytes each) and one batch; contacts are made oldest first, so that only
one month's file is open at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bulk_export_sample.columns import draw_columns, with_objects
from bulk_export_sample.dirt import draw_faults, soil_columns
from bulk_export_sample.moments import Moments, draw_moments
from bulk_export_sample.objects import MEDIA, TRANSCRIPTS, no_objects, plan_objects, write_objects
from bulk_export_sample.randomness import Ints
from bulk_export_sample.request import SampleReport, SampleRequest
from bulk_export_sample.schema import sample_schema
from bulk_export_sample.talk import bodies, draw_talk
from bulk_export_sample.traits import draw_traits

# One row group of the size DuckDB works in.
BATCH = 122_880
Progress = Callable[[int, int], None]


def build_store(root: Path, request: SampleRequest, progress: Progress) -> SampleReport:
    """Write catalogue, media and transcripts under `root`; `progress` hears (contacts done, contacts)."""
    done = 0

    def wrote(contacts: int) -> None:
        nonlocal done
        done += contacts
        progress(done, request.contacts)

    if request.media:
        (root / MEDIA).mkdir()
        (root / TRANSCRIPTS).mkdir()
    moments = draw_moments(request)
    with _MonthFiles(root / "contacts") as files:
        for first in range(0, request.contacts, BATCH):
            files.write(_batch(root, request, moments, first, wrote), moments.started_s[first : first + BATCH])
    return _report(root, request)


def _batch(root: Path, request: SampleRequest, moments: Moments, first: int, wrote: Callable[[int], None]) -> pa.Table:
    """The catalogue of the contacts from `first`; their objects are written."""
    span = slice(first, first + BATCH)
    traits = draw_traits(request, first, moments.started_s[span], moments.zone[span])
    talk = draw_talk(request.seed, traits)
    columns = draw_columns(request, traits, bodies(talk, traits))
    faults = draw_faults(request.seed, traits, transcripts=request.media) if request.dirt else {}
    if faults:
        columns = soil_columns(columns, faults)
    if request.media:
        objects = write_objects(root, request, plan_objects(request, traits, talk, faults), wrote)
    else:
        objects = no_objects(traits.started_s.size)
        wrote(traits.started_s.size)
    return with_objects(columns, objects)


class _MonthFiles:
    """Parquet files by month of the start (UTC), in Hive folders; one open at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._month = ""
        self._open = ExitStack()
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> _MonthFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._open.close()

    def write(self, table: pa.Table, started_s: Ints) -> None:
        """Append rows, which follow those of the last call in time."""
        months = started_s.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
        for start, end in _runs(months):
            month = str(months[start].astype("datetime64[M]"))  # such as 2026-11
            if self._writer is None or month != self._month:
                self._next(month)
            assert self._writer is not None
            self._writer.write_table(table.slice(start, end - start), row_group_size=BATCH)

    def _next(self, month: str) -> None:
        self._open.close()
        year, number = month.split("-")
        folder = self._folder / f"year={year}" / f"month={number}"
        folder.mkdir(parents=True)
        writer = pq.ParquetWriter(folder / "part-0.parquet", sample_schema(), compression="zstd", compression_level=1)
        self._writer, self._month = self._open.enter_context(writer), month


def _runs(months: Ints) -> Iterator[tuple[int, int]]:
    """Start and end of each run of equal months."""
    edges = [0, *(np.flatnonzero(months[1:] != months[:-1]) + 1).tolist(), months.size]
    yield from pairwise(edges)


def _report(root: Path, request: SampleRequest) -> SampleReport:
    sizes = {
        part: [path.stat().st_size for path in (root / part).rglob("*") if path.is_file()]
        for part in ("contacts", MEDIA, TRANSCRIPTS)
    }
    return SampleReport(
        contacts=request.contacts,
        media_files=len(sizes[MEDIA]),
        transcript_files=len(sizes[TRANSCRIPTS]),
        bytes=sum(sum(each) for each in sizes.values()),
    )
