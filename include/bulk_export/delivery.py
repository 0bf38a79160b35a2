"""The stages that deliver: each hands the frozen jobs, the source and the destination to the module that does the work.

A run whose directory is finished is left alone: what was proven must not change under the receiver.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from bulk_export.stages import Counts

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from bulk_export.bag.manifest import PayloadFile
    from bulk_export.contacts_csv import CsvLayout
    from bulk_export.site import OpenRun

CSV_FILE = "data/contacts.csv"
PARQUET_FILE = "data/contacts.parquet"

_MEDIA_COLUMNS = ["contact_id", "contact_type", "recycled", "audio_uri", "screen_uri", "audio_bytes", "screen_bytes"]
_TRANSCRIPT_COLUMNS = ["contact_id", "recycled", "transcript_uri"]


def copy_media(run: OpenRun, job: int) -> Counts:
    """Media of one job; counts of files and bytes."""
    formats = run.snapshot.export.media
    if run.settled or (formats.audio_only is None and formats.audio_video is None):
        return {}
    from bulk_export.media.job import MediaLimits, copy_job_media
    from bulk_export.media.throttle import Throttle

    # As they stand now, not as they stood when the run began: this is how an operator slows down a run under way.
    room = run.site.settings.limits
    contacts = run.staging.job(job, _MEDIA_COLUMNS)
    counts = copy_job_media(
        contacts,
        job=job,
        formats=formats,
        source=run.store.objects,
        destination=run.destination,
        run_prefix=run.record.directory,
        journal=run.staging.journal("media", job),
        scratch=run.scratch / f"media-{job:04d}",
        workers=room.workers or run.site.workers,
        limits=run.site.media_limits or MediaLimits(),
        resolve=run.site.resolve,
        throttle=Throttle(room.megabytes_per_second * 1e6) if room.megabytes_per_second else None,
        progress=run.progress("copy_media", job, contacts.num_rows),
    )
    return asdict(counts)


def export_transcripts(run: OpenRun, job: int) -> Counts:
    """Transcripts of one job; counts of files and bytes."""
    wanted = run.snapshot.export.transcripts
    if run.settled or wanted == "none":
        return {}
    from bulk_export.transcripts.job import export_job_transcripts

    contacts = run.staging.job(job, _TRANSCRIPT_COLUMNS)
    counts = export_job_transcripts(
        contacts,
        job=job,
        format=wanted,
        source=run.store.objects,
        destination=run.destination,
        run_prefix=run.record.directory,
        journal=run.staging.journal("transcripts", job),
        resolve=run.site.resolve,
        progress=run.progress("export_transcripts", job, contacts.num_rows),
    )
    return asdict(counts)


def build_csv(run: OpenRun) -> Counts:
    """contacts.csv, and contacts.parquet where asked for; made on this machine, then delivered whole."""
    from bulk_export.contacts_csv import CsvLayout, write_contacts_csv
    from bulk_export.state.runs import record_counts

    if run.settled or _stand(run):
        return {}
    options = run.snapshot.export.csv
    layout = CsvLayout(options.profile, options.language, run.snapshot.exportable_metadata)
    path = run.scratch / "contacts.csv"
    with path.open("wb") as out:
        counts = write_contacts_csv(_told(run, "build_csv"), layout, out)
    delivered = _deliver(run, CSV_FILE, path)
    if options.metadata_parquet:
        path = run.scratch / "contacts.parquet"
        _write_parquet(run, layout, path)
        delivered |= _deliver(run, PARQUET_FILE, path)
    record_counts(run.site.engine, run.record.run_id, cut_values=counts.cut_values)
    run.staging.write_facts("csv", delivered)
    return asdict(counts)


def delivered_tables(run: OpenRun) -> list[PayloadFile]:
    """What `build_csv` delivered, for the manifest."""
    from bulk_export.bag.manifest import PayloadFile

    facts = run.staging.read_facts("csv") or {}
    return [
        PayloadFile(key, int(facts[f"{key} bytes"]), str(facts[f"{key} sha256"]))
        for key in (CSV_FILE, PARQUET_FILE)
        if f"{key} bytes" in facts
    ]


def _stand(run: OpenRun) -> bool:
    """Whether an earlier attempt has delivered the tables, and they still lie there."""
    made = delivered_tables(run)
    if not made:
        return False
    there = {entry.key: entry.bytes for entry in run.destination.list(f"{run.record.directory}/data/contacts.")}
    return all(there.get(f"{run.record.directory}/{file.path}") == file.bytes for file in made)


def _deliver(run: OpenRun, key: str, path: Path) -> dict[str, int | str]:
    # An earlier attempt's table is replaced: cleared on another day the run may have been granted other contacts.
    stored = run.destination.put(f"{run.record.directory}/{key}", path)
    path.unlink()
    return {f"{key} bytes": stored.bytes, f"{key} sha256": stored.sha256}


def _write_parquet(run: OpenRun, layout: CsvLayout, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from bulk_export.contacts.schema import canonical_schema
    from bulk_export.contacts_csv import typed_table

    empty = canonical_schema(layout.metadata_keys, with_text=False).append(pa.field("text_preview", pa.string()))
    with pq.ParquetWriter(path, typed_table(empty.empty_table(), layout).schema, compression="zstd") as writer:
        for table in run.staging.job_tables():
            writer.write_table(typed_table(table, layout))


def _told(run: OpenRun, stage: str) -> Iterator[pa.Table]:
    """Every job's contacts, telling how far the stage is."""
    done, tell = 0, run.progress(stage, 0, run.record.granted or 0)
    for table in run.staging.job_tables():
        yield table
        done += table.num_rows
        tell(done, 0)
