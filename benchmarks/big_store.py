"""Catalogues of millions of contacts without objects: the sample store's rows over and over, each a contact of its own.

Every row has its own id and start, in order over one year, one file a month; the other columns repeat after 100,000.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
DAYS = 360
MONTHS = 12
_PATTERN_ROWS = 100_000
_ROW_GROUP = 122_880


def big_store(folder: Path, contacts: int) -> Path:
    """The store of so many contacts below a folder; made where it is not there yet."""
    root = folder / f"store-{contacts}"
    done = root / "made"
    if done.exists():
        return root
    from bulk_export_sample import make_sample_store

    pattern = folder / f"pattern-{contacts}"
    rows = min(_PATTERN_ROWS, contacts)
    make_sample_store(pattern, contacts=rows, seed=1, until=UNTIL, media=False)
    # Spawned: what forks the threads of Arrow may hang.
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(_month, [root] * MONTHS, [pattern] * MONTHS, [contacts] * MONTHS, range(MONTHS)))
    done.touch()
    return root


def _month(root: Path, pattern: Path, contacts: int, month: int) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pq.read_table(pattern / "contacts", partitioning=None).combine_chunks()
    first, last = contacts * month // MONTHS, contacts * (month + 1) // MONTHS
    step_us = DAYS * 86_400 * 1_000_000 // contacts
    start_us = int(UNTIL.timestamp() * 1_000_000) - contacts * step_us
    path = root / f"contacts/month={month + 1:02}/part-0.parquet"
    path.parent.mkdir(parents=True)
    moment = pa.timestamp("us", tz="UTC")
    with pq.ParquetWriter(path, rows.schema, compression="zstd", compression_level=1) as writer:
        for begin in range(first, last, _ROW_GROUP):
            ids = np.arange(begin, min(begin + _ROW_GROUP, last))
            table = rows.take(pa.array(ids % rows.num_rows))
            started = start_us + ids * step_us
            for name, values in (
                ("contact_id", pa.array(ids + 100_000_000)),
                ("started_at", pa.array(started).cast(moment)),
                ("updated_at", pa.array(started + 3_600_000_000).cast(moment)),
            ):
                at = table.schema.get_field_index(name)
                table = table.set_column(at, table.schema.field(at), values)
            writer.write_table(table, row_group_size=_ROW_GROUP)


if __name__ == "__main__":
    print(big_store(Path(sys.argv[1]), int(sys.argv[2])))
