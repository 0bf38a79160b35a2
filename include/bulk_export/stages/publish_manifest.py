"""Publish a run: items.csv, the manifests and, last, the marker.

items.csv says of every matched contact what became of it.

Whatever there is to record is recorded before the marker, and counts once the run is published: the marker is the
truth, and whoever finds it (`runs/marker.py`) needs nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bulk_export import __version__
from bulk_export.bag.completeness import complete
from bulk_export.bag.manifest import sorted_files
from bulk_export.bag.write import publish_bag, withdraw_marker
from bulk_export.errors import LateAttemptError
from bulk_export.items.payload_file import PayloadFile
from bulk_export.items.table import (
    excluded_items,
    item_files,
    items_schema,
    job_items,
    write_items_csv,
)
from bulk_export.runs.follow_up import keep_rest
from bulk_export.runs.marker import ITEMS_FILE
from bulk_export.runs.outcome import outcome_counts, record_contacts
from bulk_export.runs.selection import run_share
from bulk_export.stage_registry import STAGES, Counts
from bulk_export.stages.batch_contacts import cut_jobs
from bulk_export.stages.build_csv import build_tables, delivered_tables
from bulk_export.stages.stage import stage
from bulk_export.staging.journal import FileResult
from bulk_export.staging.run_staging import EXCLUDED
from bulk_export.state.publications import Publication, record_publication, record_published
from bulk_export.storage.capabilities import guard

if TYPE_CHECKING:
    from bulk_export.bag.write import Published
    from bulk_export.items.table import ItemCounts
    from bulk_export.runs.open_run import OpenRun

DEFINITIONS_FILE = "data/export.yaml"


@stage
def publish_manifest(run: OpenRun) -> Counts | None:
    """Write what is left, record what was delivered, write the marker.

    Returns None for a dry run.

    Once a directory is finished, nothing changes.
    """
    if run.dry:
        return None
    if not run.record.published:
        _publish(run)
    record = run.site.reread(run.record.run_id)
    return {"matched": record.matched or 0, "exported": record.exported, "masked": record.masked}


def _publish(run: OpenRun) -> None:
    # From here on nothing that is still at work on the run may change what the manifest will name.
    run.attempt.renew()
    guard(run.destination, run.attempt.confirm)
    cut_jobs(run)
    if run.staging.read_facts("csv") is None:  # lost by a power cut
        build_tables(run)
    keep_rest(run, run_share(run))
    publication = _Publication(run, run.scratch / "items.arrow")
    counts = publication.write_items()
    record_contacts(run, publication.items)
    outcome = outcome_counts(run, counts)
    sha256 = publication.write_bag(counts, outcome).manifest_sha256
    try:
        _record_published(run, manifest_sha256=sha256, counts=outcome)
    except LateAttemptError:
        _withdraw_late_marker(run)
        raise


def _record_published(run: OpenRun, *, manifest_sha256: str, counts: Mapping[str, Any]) -> None:
    record_published(
        run.site.engine,
        run.record.run_id,
        manifest_sha256=manifest_sha256,
        counts=counts,
        now=run.site.clock(),
        attempt=run.attempt.number,
    )


def _withdraw_late_marker(run: OpenRun) -> None:
    """Take back a marker that was under way while somebody closed the run or began it again."""
    if not run.reread().record.published:
        guard(run.destination, lambda: None)
        withdraw_marker(run.destination, run.record.directory)


@dataclass(frozen=True, slots=True)
class _Publication:
    """What became of a run's contacts, read job by job from the staging area.

    Attributes:
        run: the run.
        items_cache: file of this machine for the rows of items.csv: they are read four times and computed once.
    """

    run: OpenRun
    items_cache: Path

    def items(self) -> Iterator[pa.Table]:
        """items.csv in parts, as `write_items` has computed them."""
        with pa.OSFile(str(self.items_cache)) as file, pa.ipc.open_stream(file) as parts:
            for part in parts:
                yield pa.Table.from_batches([part])

    def _compute_items(self) -> Iterator[pa.Table]:
        """Each job's contacts, then those no job holds."""
        staging = self.run.staging
        # A stage that was skipped must not look like one that delivered.
        wanted = [results.kinds for _, results in STAGES.with_results(self.run.record.formats)]
        for job in staging.jobs():
            contacts = staging.job(job, ["contact_id", "recycled"])
            ids = contacts["contact_id"].to_pylist()
            recycled = contacts["recycled"].to_pylist()
            yield job_items(ids, recycled, self._results(job, set(ids)), wanted=wanted)
        yield excluded_items(staging.read_table(EXCLUDED))

    def _results(self, job: int, contact_ids: set[int]) -> Iterator[FileResult]:
        # A run that was granted less after it was cleared has results of contacts that are no longer in the job.
        for _, results in STAGES.with_results():
            journal = self.run.staging.journal(results.journal, job)
            yield from (result for result in journal.read() if result.contact_id in contact_ids)

    def write_items(self) -> ItemCounts:
        with (
            (self.run.scratch / "items.csv").open("wb") as out,
            pa.OSFile(str(self.items_cache), "wb") as file,
            pa.ipc.new_stream(file, items_schema(), options=pa.ipc.IpcWriteOptions(compression="lz4")) as cache,
        ):

            def cached(part: pa.Table) -> pa.Table:
                columns = [column.combine_chunks() for column in part.columns]
                # A batch even of no rows: the first is the first job's, and so on.
                cache.write_batch(pa.RecordBatch.from_arrays(columns, schema=part.schema))
                return part

            return write_items_csv(map(cached, self._compute_items()), out)

    def write_bag(self, counts: ItemCounts, outcome: Mapping[str, Any]) -> Published:
        """Deliver what only this stage can make, then publish."""
        run, path = self.run, self.run.scratch / "items.csv"
        items = run.destination.put(f"{run.record.directory}/{ITEMS_FILE}", path)
        path.unlink()
        definitions = run.destination.put(f"{run.record.directory}/{DEFINITIONS_FILE}", run.snapshot.as_yaml().encode())
        whole_run_files = [
            *delivered_tables(run),
            PayloadFile(ITEMS_FILE, items.bytes, items.sha256),
            PayloadFile(DEFINITIONS_FILE, definitions.bytes, definitions.sha256),
        ]
        return publish_bag(
            run.destination,
            run.record.directory,
            self._payload(whole_run_files),
            _bag_info(run, counts),
            scratch=run.scratch,
            before_marker=partial(self._seal, outcome, whole_run_files),
        )

    def _payload(self, whole_run_files: list[PayloadFile]) -> Iterator[PayloadFile]:
        yield from whole_run_files
        for items in self.items():
            yield from item_files(items)

    def _seal(self, outcome: Mapping[str, Any], whole_run_files: list[PayloadFile], published: Published) -> None:
        """See that all is there, then record what the marker will make true: the last before it."""
        run = self.run
        with TemporaryDirectory(dir=run.scratch) as own:
            payload = sorted_files(self._payload(whole_run_files), Path(own))
            named = ((file.path, file.bytes) for file in payload)
            complete(run.destination, f"{run.record.directory}/", named, published.tags, scratch=Path(own))
        beside = [tag.stored.bytes for tag in published.tags.values()]
        publication = Publication(
            manifest_sha256=published.manifest_sha256,
            marker_sha256=hashlib.sha256(published.marker).hexdigest(),
            files=published.files + len(beside) + 1,
            bytes=published.bytes + sum(beside) + len(published.marker),
            counts=outcome,
        )
        record_publication(run.site.engine, run.record.run_id, publication, attempt=run.attempt.number)


def _bag_info(run: OpenRun, counts: ItemCounts) -> dict[str, str]:
    record, started = run.record, run.record.started_at or run.record.queued_at
    return {
        "Source-Organization": run.snapshot.environment.name,
        "External-Identifier": record.run_id,
        "External-Description": f"{record.export_name}: contacts matched by '{run.snapshot.search.name}'",
        "Bag-Group-Identifier": record.export_id,
        "Bagging-Date": f"{started:%Y-%m-%d}",
        "Bag-Software-Agent": f"bulk-contact-export {__version__}",
        "Contacts-Matched": str(counts.matched),
        **({"Cells-Longer-Than-Excel-Takes": str(record.long_cells)} if record.long_cells else {}),
        **{f"Contacts-{str(status).replace('_', '-').title()}": str(n) for status, n in counts.by_status.items()},
    }
