"""Write contacts.csv, and contacts.parquet where asked for.

A run whose directory is finished is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from bulk_export.contacts.schema import canonical_schema
from bulk_export.contacts_csv import CsvCounts, CsvLayout, typed_table, write_contacts_csv
from bulk_export.items.payload_file import PayloadFile
from bulk_export.stage_registry import Counts
from bulk_export.stages.batch_contacts import cut_jobs
from bulk_export.stages.stage import stage
from bulk_export.state.runs import record_counts

if TYPE_CHECKING:
    from pathlib import Path

    from bulk_export.runs.open_run import OpenRun

CSV_FILE = "data/contacts.csv"
PARQUET_FILE = "data/contacts.parquet"


@stage
def build_csv(run: OpenRun) -> Counts | None:
    """Write contacts.csv, and contacts.parquet where asked for.

    One row per exported contact. Returns None for a dry run.

    Each is made on this machine and delivered whole.
    """
    if run.dry:
        return None
    if run.nothing_to_deliver:
        return {}
    cut_jobs(run)
    return {} if _already_delivered(run) else asdict(build_tables(run))


def build_tables(run: OpenRun) -> CsvCounts:
    """Make and deliver the tables of the jobs that are cut."""
    options = run.snapshot.export.csv
    layout = CsvLayout(options.profile, options.language, run.snapshot.exportable_metadata, options.separator)
    path = run.scratch / "contacts.csv"
    with path.open("wb") as out:
        counts = write_contacts_csv(_with_progress(run, "build_csv"), layout, out)
    delivered = _deliver(run, CSV_FILE, path)
    if options.metadata_parquet:
        path = run.scratch / "contacts.parquet"
        _write_parquet(run, layout, path)
        delivered |= _deliver(run, PARQUET_FILE, path)
    run.attempt.confirm()
    record_counts(run.site.engine, run.record.run_id, cut_values=counts.cut_values, long_cells=counts.long_cells)
    run.staging.write_facts("csv", delivered)
    return counts


def delivered_tables(run: OpenRun) -> list[PayloadFile]:
    """What `build_csv` delivered, for the manifest."""
    facts = run.staging.read_facts("csv") or {}
    return [
        PayloadFile(key, int(facts[f"{key} bytes"]), str(facts[f"{key} sha256"]))
        for key in (CSV_FILE, PARQUET_FILE)
        if f"{key} bytes" in facts
    ]


def _already_delivered(run: OpenRun) -> bool:
    """Whether an earlier attempt has delivered the tables, and they are still stored."""
    made = delivered_tables(run)
    if not made:
        return False
    stored = {entry.key: entry.bytes for entry in run.destination.list(f"{run.record.directory}/data/contacts.")}
    return all(stored.get(f"{run.record.directory}/{file.path}") == file.bytes for file in made)


def _deliver(run: OpenRun, key: str, path: Path) -> dict[str, int | str]:
    # An earlier attempt's table is replaced: cleared on another day the run may have been granted other contacts.
    stored = run.destination.put(f"{run.record.directory}/{key}", path)
    path.unlink()
    return {f"{key} bytes": stored.bytes, f"{key} sha256": stored.sha256}


def _write_parquet(run: OpenRun, layout: CsvLayout, path: Path) -> None:
    empty = canonical_schema(layout.metadata_keys, with_text=False).append(pa.field("text_preview", pa.string()))
    with pq.ParquetWriter(path, typed_table(empty.empty_table(), layout).schema, compression="zstd") as writer:
        for table in run.staging.job_tables():
            writer.write_table(typed_table(table, layout))


def _with_progress(run: OpenRun, stage: str) -> Iterator[pa.Table]:
    """Every job's contacts, reporting how far the stage is."""
    done, report = 0, run.progress(stage, 0, run.record.granted or 0)
    for table in run.staging.job_tables():
        yield table
        done += table.num_rows
        report(contacts_done=done, bytes_written=0)
