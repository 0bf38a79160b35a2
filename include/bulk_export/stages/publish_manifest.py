"""Publish a run: items.csv, the manifests and, last, the marker.

items.csv says of every matched contact what became of it.

The audit's counts are taken from the very rows of items.csv, so that audit and receiver read the same sums.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export import __version__
from bulk_export.bag.listing import Difference, differences
from bulk_export.bag.manifest import PAYLOAD_FOLDER, sorted_files
from bulk_export.bag.write import publish_bag
from bulk_export.errors import RefusedError, TransientError
from bulk_export.items.payload_file import PayloadFile
from bulk_export.items.table import (
    excluded_items,
    item_files,
    items_schema,
    job_items,
    write_items_csv,
)
from bulk_export.reasons import ItemStatus, Reason
from bulk_export.runs.follow_up import keep_rest
from bulk_export.runs.selection import run_share
from bulk_export.stage_registry import STAGES, Counts, Phase
from bulk_export.stages.build_csv import delivered_tables
from bulk_export.stages.stage import stage
from bulk_export.staging.journal import FileResult
from bulk_export.staging.run_staging import EXCLUDED
from bulk_export.state.delivered_contacts import record_deliveries
from bulk_export.state.items import Item, record_items
from bulk_export.state.runs import record_counts, record_published

if TYPE_CHECKING:
    from datetime import datetime

    from bulk_export.bag.write import Published
    from bulk_export.items.table import ItemCounts
    from bulk_export.runs.open_run import OpenRun

ITEMS_FILE = "data/items.csv"
DEFINITIONS_FILE = "data/export.yaml"


@stage
def publish_manifest(run: OpenRun) -> Counts | None:
    """Write items.csv, export.yaml and the manifests; record what was delivered.

    Returns None for a dry run.

    Once a directory is finished, nothing changes.
    """
    if run.dry:
        return None
    if not run.record.published:
        keep_rest(run, run_share(run))
        publication = _Publication(run, run.scratch / "items.arrow")
        try:
            counts = publication.write_items()
            written = publication.write_bag(counts)
            publication.record(counts, written)
        finally:
            publication.items_cache.unlink(missing_ok=True)
    record = run.site.reread(run.record.run_id)
    return {"matched": record.matched or 0, "exported": record.exported, "masked": record.masked}


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

    def write_bag(self, counts: ItemCounts) -> Published:
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
        self._complete_payload(whole_run_files)
        return publish_bag(
            run.destination,
            run.record.directory,
            self._payload(whole_run_files),
            _bag_info(run, counts),
            scratch=run.scratch,
        )

    def _payload(self, whole_run_files: list[PayloadFile]) -> Iterator[PayloadFile]:
        yield from whole_run_files
        for items in self.items():
            yield from item_files(items)

    def _complete_payload(self, whole_run_files: list[PayloadFile]) -> None:
        """See that the directory holds what the manifest will name, and nothing else.

        What a killed attempt delivered and no result speaks of is removed. What was delivered and is gone (somebody
        cleaned up an unfinished directory) must be delivered again before anything is published.
        """
        run, prefix = self.run, f"{self.run.record.directory}/"
        with TemporaryDirectory(dir=run.scratch) as own:
            payload = sorted_files(self._payload(whole_run_files), Path(own))
            named = ((prefix + file.path, file.bytes) for file in payload)
            stored = ((entry.key, entry.bytes) for entry in run.destination.list(prefix + PAYLOAD_FOLDER))
            strays = _Strays(Path(own, "strays"))
            missing, first_missing = 0, ""
            for difference, key in differences(named, stored):
                if difference is Difference.STRAY:
                    strays.add(key)
                else:
                    missing, first_missing = missing + 1, first_missing or key
            if missing:
                raise _missing(missing, first_missing, f"{run.destination.uri}/{prefix}")
            try:
                run.destination.delete(strays)
            except RefusedError as error:
                raise RefusedError(
                    "STRAY_FILES",
                    f"{len(strays)} files of an interrupted attempt are in {run.destination.uri}/{prefix} and may not "
                    f"be deleted, such as {next(iter(strays))}",
                    hint="Delete them, or run the export again as a new run.",
                ) from error

    def record(self, counts: ItemCounts, published: Published) -> None:
        """Write the outcome to the state database: counts, troubled contacts, deliveries; `published` last."""
        run, engine = self.run, self.run.site.engine
        masked = counts.by_status[ItemStatus.MASKED]
        record_items(engine, run.record.run_id, self._troubled())
        if run.snapshot.export.incremental:
            record_deliveries(engine, run.snapshot.export.id, run.record.run_id, self._delivered())
        record_counts(
            engine,
            run.record.run_id,
            exported=counts.by_status[ItemStatus.DELIVERED] + masked,
            masked=masked,
            by_status={str(status): count for status, count in counts.by_status.items()},
            by_reason={str(reason): count for reason, count in counts.by_reason.items()},
            jobs=len(run.staging.jobs()),
            media_files=counts.files.get("media", 0) + counts.files.get("screen", 0),
            media_bytes=counts.bytes.get("media", 0) + counts.bytes.get("screen", 0),
            transcript_files=counts.files.get("transcript", 0),
            transcript_bytes=counts.bytes.get("transcript", 0),
            transcript_fixes=self._fixes(),
        )
        record_published(engine, run.record.run_id, manifest_sha256=published.manifest_sha256, now=run.site.clock())

    def _troubled(self) -> Iterator[Item]:
        # Every run of an incremental export leaves out all it has ever delivered: items.csv names them.
        untroubled = pa.array([str(ItemStatus.DELIVERED), str(ItemStatus.ALREADY_DELIVERED)])
        for items in self.items():
            troubled = items.filter(pc.invert(pc.is_in(items["status"], value_set=untroubled)))
            for row in troubled.select(["contact_id", "status", "reason", "detail"]).to_pylist():
                reason = Reason(row["reason"]) if row["reason"] else None
                yield Item(row["contact_id"], ItemStatus(row["status"]), reason, row["detail"] or "")

    def _delivered(self) -> Iterator[tuple[int, datetime | None]]:
        whole = {str(ItemStatus.DELIVERED), str(ItemStatus.MASKED)}
        for job, items in zip(self.run.staging.jobs(), self.items(), strict=False):
            status = dict(zip(items["contact_id"].to_pylist(), items["status"].to_pylist(), strict=True))
            contacts = self.run.staging.job(job, ["contact_id", "updated_at"]).to_pydict()
            for contact_id, updated_at in zip(contacts["contact_id"], contacts["updated_at"], strict=True):
                if status[contact_id] in whole:
                    yield contact_id, updated_at

    def _fixes(self) -> int:
        staging = self.run.staging
        # A contact that was tried again has two results, of which the later counts.
        fixes = {
            item.contact_id: item.fixes for n in staging.jobs() for item in staging.journal("transcripts", n).read()
        }
        return sum(fixes.values())


class _Strays:
    """Keys to be deleted, kept in a file: there may be as many as the run has files."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0

    def add(self, key: str) -> None:
        # As JSON, because a key of somebody else's may hold any character.
        with self._path.open("a", encoding="ascii") as out:
            out.write(json.dumps(key) + "\n")
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        if self._count:
            with self._path.open(encoding="ascii") as lines:
                yield from map(json.loads, lines)


def _missing(count: int, first: str, directory: str) -> TransientError:
    *others, last = (stage.name for stage in STAGES.of(Phase.DELIVER))
    return TransientError(
        "FILES_MISSING",
        f"{count} files that were delivered to {directory} are not there any more, or were cut, such as {first}",
        hint=f"Clear the run's {', '.join(others)} and {last} tasks: they deliver again what is missing.",
    )


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
        **{f"Contacts-{str(status).replace('_', '-').title()}": str(n) for status, n in counts.by_status.items()},
    }
