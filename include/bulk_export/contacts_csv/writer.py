"""Write contacts.csv, batch by batch.

Memory stays at a few batches whatever the run's size.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

from bulk_export.contacts_csv.columns import BatchColumns, Tally, store_columns
from bulk_export.contacts_csv.layout import CsvLayout
from bulk_export.csv_cells.records import header_record, records

_BATCH_ROWS = 10_000
# Arrow works without the interpreter's lock; a run's media and transcripts want the other cores.
_THREADS = 2
# Addresses and metadata have no maximum length; Arrow's string arrays end at 2 GiB.
_BATCH_BYTES = 64 * 2**20


@dataclass(frozen=True, slots=True)
class CsvCounts:
    """What was written, and what had to be changed to write it.

    Attributes:
        rows: contacts written.
        masked: recycled contacts, shown as `######`.
        cut_values: cells cut to their column's maximum.
        long_cells: cells that Excel breaks apart or cuts; it takes 32,767 characters.
        guarded_cells: cells prefixed so that no spreadsheet runs them.
        replaced_cells: cells in which control characters became U+FFFD.
        unknown_zones: contacts whose time zone is missing or not an IANA name; their Date and Time are UTC.
    """

    rows: int
    masked: int
    cut_values: int
    long_cells: int
    guarded_cells: int
    replaced_cells: int
    unknown_zones: int


def write_contacts_csv(jobs: Iterable[pa.Table], layout: CsvLayout, out: BinaryIO) -> CsvCounts:
    """Write one CSV of all jobs, in their order, header first.

    Args:
        jobs: canonical job tables with `text_preview`, `recycled` and a `metadata.<key>` column per exportable key;
            read lazily, one at a time.
        layout: profile, language and custom columns.
        out: receives bytes; not closed.

    Raises:
        ValueError: a job table lacks columns; named.
    """
    tally = Tally()
    out.write(layout.byte_order_mark + header_record(layout.header, layout.line_end, layout.separator))
    under_way: deque[Future[tuple[memoryview, Tally]]] = deque()
    with _frugal_memory(), ThreadPoolExecutor(_THREADS, thread_name_prefix="csv") as pool:

        def write_first() -> None:
            content, counts = under_way.popleft().result()
            out.write(content)
            tally.add(counts)

        for job in jobs:
            for batch in _batches(job, layout):
                under_way.append(pool.submit(_records, batch, layout))
                if len(under_way) >= _THREADS:
                    write_first()
        while under_way:
            write_first()
    return CsvCounts(
        rows=tally.rows,
        masked=tally.masked,
        cut_values=tally.cut_values,
        long_cells=tally.long_cells,
        guarded_cells=tally.guarded_cells,
        replaced_cells=tally.replaced_cells,
        unknown_zones=tally.unknown_zones,
    )


@contextmanager
def _frugal_memory() -> Iterator[None]:
    """Arrow's usual allocator keeps what finished batches have freed: a third more memory, and no faster for it."""
    usual = pa.default_memory_pool()
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)


def _records(batch: pa.RecordBatch, layout: CsvLayout) -> tuple[memoryview, Tally]:
    """The bytes of one batch, and what had to be changed; nothing is shared, so batches are made side by side."""
    tally = Tally()
    return records(BatchColumns(batch, layout, tally).all(), layout.line_end, layout.separator), tally


def _batches(job: pa.Table, layout: CsvLayout) -> Iterator[pa.RecordBatch]:
    needed = store_columns(layout)
    if missing := [name for name in needed if name not in job.column_names]:
        raise ValueError(f"job table lacks the columns {', '.join(missing)}")
    job = job.select(needed)
    for start in range(0, job.num_rows, _BATCH_ROWS):
        yield from _small_enough(job.slice(start, _BATCH_ROWS))


def _small_enough(part: pa.Table) -> Iterator[pa.RecordBatch]:
    if part.nbytes > _BATCH_BYTES and part.num_rows > 1:
        half = part.num_rows // 2
        yield from _small_enough(part.slice(0, half))
        yield from _small_enough(part.slice(half))
    else:
        yield part.combine_chunks().to_batches()[0]
