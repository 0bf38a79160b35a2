"""The journal of a job: what became of each contact's files.

It is kept in staging. A stage appends a part after every few hundred contacts, so a task that is killed and tried
again goes on where the journal ends instead of starting over. Parts are Parquet; a part is whole or absent, and writing
one twice changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from bulk_export.errors import TransientError
from bulk_export.reasons import Reason
from bulk_export.staging.tables import read_table, write_table
from bulk_export.storage.base import Storage

# One of the kinds that a stage says something of (`stage_registry.Results`).
FileKind = str


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of one file that a contact should have.

    Attributes:
        contact_id: the contact.
        kind: `media` (the audio, or audio and screen in one), `screen` (stored screen beside it, `original` only) or
            `transcript`.
        reason: why the file was not delivered, or what is to be said of one that was; None for neither.
        detail: what exactly was wrong, for engineers; never personal data.
        path: key inside the run's directory, such as `data/media/0001/100001.mp3`; empty when not delivered.
        bytes: size delivered.
        sha256: lower-case hex digest of what was delivered.
        fixes: characters that had to be replaced (transcripts as XML).
    """

    contact_id: int
    kind: FileKind
    reason: Reason | None = None
    detail: str = ""
    path: str = ""
    bytes: int = 0
    sha256: str = ""
    fixes: int = 0

    @property
    def delivered(self) -> bool:
        """Whether the file is in the destination."""
        return bool(self.path)


class Journal:
    """Results of one stage of one job.

    Kept as `<prefix>/part-NNNNN-xxxxxxxx.parquet` in the staging area.
    """

    def __init__(self, staging: Storage, prefix: str) -> None:
        self._staging = staging
        self._prefix = prefix.rstrip("/") + "/"
        # After the last, even where a power cut has taken one in between; of two attempts none takes the other's name.
        self._parts = max((_number(entry.key) for entry in staging.list(self._prefix)), default=-1) + 1
        self._own = secrets.token_hex(4)

    def read(self) -> list[FileResult]:
        """Every result so far, in the order written.

        Those of a part that was torn are none: their contacts have to be done again.
        """
        results: list[FileResult] = []
        for entry in self._staging.list(self._prefix):
            try:
                table = read_table(self._staging, entry.key)
            except TransientError as error:
                if error.code != "STAGING_LOST":
                    raise
                continue
            for row in table.to_pylist():
                reason = Reason(row.pop("reason")) if row["reason"] else row.pop("reason")
                results.append(FileResult(**row, reason=reason or None))
        return results

    def append(self, results: Sequence[FileResult]) -> None:
        """Add one part; an empty one is not written."""
        if not results:
            return
        columns = {name: [getattr(result, name) for result in results] for name in _SCHEMA}
        columns["reason"] = [str(result.reason or "") for result in results]
        part = pa.table(columns, schema=pa.schema(_arrow_types()))
        write_table(self._staging, f"{self._prefix}part-{self._parts:05d}-{self._own}.parquet", part, "zstd")
        self._parts += 1


def _number(key: str) -> int:
    return int(key.rpartition("/part-")[2][:5])


_SCHEMA = ("contact_id", "kind", "reason", "detail", "path", "bytes", "sha256", "fixes")
_INTEGERS = frozenset({"contact_id", "bytes", "fixes"})


def _arrow_types() -> Iterable[tuple[str, object]]:
    return [(name, pa.int64() if name in _INTEGERS else pa.string()) for name in _SCHEMA]
