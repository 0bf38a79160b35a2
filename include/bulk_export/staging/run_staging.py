"""Keep what a run knows between its stages.

Selected keys, jobs, results.

Rows never travel through Airflow; they are stored here, in a location of their own, under the run's key. Everything is
written once: a stage that runs again finds it and goes on, so that a retry works on the very contacts the first attempt
selected, however the store has changed since. What a power cut has taken or torn counts as not written: it is made
anew, with all that was made of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bulk_export.staging.journal import Journal
from bulk_export.staging.tables import is_whole, read_table, write_table
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import Durability, UnfinishedWrites
from bulk_export.storage.reading import read

if TYPE_CHECKING:
    import pyarrow as pa

KEYS = "keys.parquet"  # every matched contact, oldest first
FRESH = "fresh.parquet"  # those not delivered before, in the order quota is spent on; only for incremental exports
EXCLUDED = "excluded.parquet"  # matched, but not in any job: contact_id, status, reason


class RunStaging:
    """The staging area of one run."""

    def __init__(self, storage: Storage, run_key: str) -> None:
        self.storage = storage
        self._prefix = f"{run_key}/"
        self._rest = f"rest/{run_key}.parquet"

    def has(self, name: str) -> bool:
        """Whether a table was written, and is whole."""
        return is_whole(self.storage, self._prefix + name)

    def write_keys(self, keys: pa.Table) -> None:
        """Keep the keys of every matched contact."""
        self.write_table(KEYS, keys)

    def write_table(self, name: str, table: pa.Table) -> None:
        """Keep an Arrow table as Parquet."""
        write_table(self.storage, self._prefix + name, table)

    def write_file(self, name: str, path: Path) -> None:
        """Keep a local file."""
        self.storage.put(self._prefix + name, path)

    def read_table(self, name: str, columns: list[str] | None = None) -> pa.Table:
        """The table, or some of its columns; raises as `tables.read_table`."""
        return read_table(self.storage, self._prefix + name, columns)

    def left_to_export(self, columns: list[str] | None = None) -> pa.Table:
        """Keys of what no earlier run has delivered.

        In the order in which limit and quota are spent on them.
        """
        return self.read_table(FRESH if self.has(FRESH) else KEYS, columns)

    def write_facts(self, name: str, facts: Mapping[str, int | str]) -> None:
        """Keep a few counts of a stage as JSON."""
        self.storage.put(f"{self._prefix}{name}.json", json.dumps(facts).encode())

    def read_facts(self, name: str) -> dict[str, int | str] | None:
        """The counts; None while the stage has not ended, or when torn."""
        try:
            facts = json.loads(read(self.storage, f"{self._prefix}{name}.json"))
        except (FileNotFoundError, ValueError):
            return None
        return facts if isinstance(facts, dict) else None

    def jobs(self) -> list[int]:
        """The numbers of the jobs that are written, from 1."""
        prefix = f"{self._prefix}jobs/"
        return [int(Path(entry.key).stem) for entry in self.storage.list(prefix)]

    def job(self, number: int, columns: list[str] | None = None) -> pa.Table:
        """The contacts of one job (`contacts/schema.py`, plus `text_preview`)."""
        return self.read_table(job_file(number), columns)

    def job_tables(self) -> Iterator[pa.Table]:
        """Every job's contacts, one after the other."""
        return (self.job(number) for number in self.jobs())

    def journal(self, stage: str, number: int) -> Journal:
        """The results of a stage (`media` or `transcripts`) for one job."""
        return Journal(self.storage, f"{self._prefix}results/{stage}/{number:04d}")

    def write_rest(self, keys: pa.Table) -> None:
        """Keep the keys a follow-up run will export.

        They outlive the run's own files, and power cuts: nobody could select the same contacts another day.
        """
        write_table(self.storage, self._rest, keys)
        if isinstance(self.storage, Durability):
            self.storage.make_durable(self._rest)

    def read_rest(self) -> pa.Table | None:
        """The keys for the follow-up run; None when absent or torn."""
        return read_table(self.storage, self._rest) if is_whole(self.storage, self._rest) else None

    def remove_rest(self) -> None:
        """The follow-up run has exported them."""
        self.storage.delete([self._rest])

    def forget_selection(self) -> None:
        """Remove what was selected, and the jobs cut from it.

        Results of single contacts stay.
        """
        self.forget_jobs()
        self.storage.delete(self._prefix + name for name in (KEYS, FRESH, "share.json", "matched.json"))

    def forget_jobs(self) -> None:
        """Remove the jobs and what was made of all of them.

        Results of single contacts stay.
        """
        self.storage.delete(entry.key for entry in self.storage.list(f"{self._prefix}jobs/"))
        self.forget_made_of_jobs()

    def forget_made_of_jobs(self) -> None:
        """Remove what was made of all jobs together."""
        self.storage.delete([self._prefix + EXCLUDED, f"{self._prefix}csv.json"])

    def in_use(self) -> bool:
        """Whether the run keeps anything here."""
        return any(True for _ in self.storage.list(self._prefix))

    def clear(self) -> None:
        """Remove everything the run kept here."""
        self.storage.delete([entry.key for entry in self.storage.list(self._prefix)])
        if isinstance(self.storage, UnfinishedWrites):
            self.storage.sweep(self._prefix)


def job_file(number: int) -> str:
    """Name of a job's file inside the run's staging area."""
    return f"jobs/{number:04d}.parquet"
