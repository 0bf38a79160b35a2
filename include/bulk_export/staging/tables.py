"""Read and write staged tables.

What a power cut has torn counts as not written. A table that is empty or was cut has no end, which is seen without
reading it. Pages have checksums, so that one whose middle was lost is not taken for data.
"""

from __future__ import annotations

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

from bulk_export.errors import TransientError
from bulk_export.storage.base import ByteRange, Storage
from bulk_export.storage.capabilities import local_path
from bulk_export.storage.reading import read, read_range

_MAGIC = b"PAR1"
_END = 8  # length of the footer, and the magic


def is_whole(storage: Storage, key: str) -> bool:
    """Whether a table was written, to its end."""
    entry = storage.find(key)
    if entry is None or entry.bytes < len(_MAGIC) + _END:
        return False
    end = read_range(storage, key, ByteRange(entry.bytes - _END, _END, entry.version))
    return end[4:] == _MAGIC and int.from_bytes(end[:4], "little") + len(_MAGIC) + _END <= entry.bytes


def write_table(storage: Storage, key: str, table: pa.Table, compression: str = "lz4") -> None:
    """Write a table whole."""
    buffer = BytesIO()
    # Jobs are read once, soon: light compression, no dictionary search on columns of distinct texts.
    pq.write_table(table, buffer, compression=compression, write_page_checksum=True)
    storage.put(key, buffer.getvalue())


def read_table(storage: Storage, key: str, columns: list[str] | None = None) -> pa.Table:
    """The table, or some of its columns.

    Raises:
        FileNotFoundError: it was not written.
        TransientError: STAGING_LOST, it was torn; it is removed, so that it is made anew.
    """
    path = local_path(storage, key)
    source = path if path is not None else BytesIO(read(storage, key))
    try:
        return pq.read_table(source, columns=columns, page_checksum_verification=True)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # the disk's own
            raise
        storage.delete([key])
        raise lost(f"{storage.uri}/{key}") from error


def lost(what: str) -> TransientError:
    """The error of a staged file that is gone or torn.

    Where it cannot be made anew at once.
    """
    return TransientError(
        "STAGING_LOST",
        f"{what} was lost, such as by a power cut",
        hint="Clear the run: what is lost is made anew, and nothing is delivered or charged twice.",
    )
