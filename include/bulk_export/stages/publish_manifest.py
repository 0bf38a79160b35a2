"""Publish a run: say of every matched contact what became of it, then make the directory a bag, marker last.

The audit's counts are taken from the very rows of items.csv, so that audit and receiver read the same sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export import __version__
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
from bulk_export.stage_registry import STAGES, Phase
from bulk_export.stages.build_csv import delivered_tables
from bulk_export.stages.stage import Counts, stage
from bulk_export.staging.journal import FileResult
from bulk_export.staging.run_staging import EXCLUDED
from bulk_export.state.delivered_contacts import record_deliveries
from bulk_export.state.items import Item, record_items
from bulk_export.state.runs import record_counts, record_published

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from bulk_export.bag.write import Published
    from bulk_export.items.table import ItemCounts
    from bulk_export.runs.open_run import OpenRun

ITEMS_FILE = "data/items.csv"
DEFINITIONS_FILE = "data/export.yaml"


@stage
def publish_manifest(run: OpenRun) -> Counts | None:
    """Write items.csv, export.yaml and the manifests, and record what was delivered. None for a dry run.

    Once a directory is finished, nothing changes.
    """
    if run.dry:
        return None
    if not run.record.published:
        keep_rest(run, run_share(run))
        outcome = _Outcome(run, run.scratch / "items.arrow")
        try:
            counts = outcome.write_items()
            written = outcome.write_bag(counts)
            outcome.record(counts, written)
        finally:
            outcome.kept.unlink(missing_ok=True)
    record = run.site.reread(run.record.run_id)
    return {"matched": record.matched or 0, "exported": record.exported, "masked": record.masked}


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a run's contacts, read job by job from the staging area.

    Attributes:
        run: the run.
        kept: file of this machine for the rows of items.csv: they are asked for four times and worked out once.
    """

    run: OpenRun
    kept: Path

    def items(self) -> Iterator[pa.Table]:
        """items.csv in parts, as `write_items` has worked them out."""
        with pa.OSFile(str(self.kept)) as file, pa.ipc.open_stream(file) as parts:
            for part in parts:
                yield pa.Table.from_batches([part])

    def _worked_out(self) -> Iterator[pa.Table]:
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
            pa.OSFile(str(self.kept), "wb") as file,
            pa.ipc.new_stream(file, items_schema(), options=pa.ipc.IpcWriteOptions(compression="lz4")) as keeping,
        ):

            def kept(part: pa.Table) -> pa.Table:
                columns = [column.combine_chunks() for column in part.columns]
                # A batch even of no rows: the first is the first job's, and so on.
                keeping.write_batch(pa.RecordBatch.from_arrays(columns, schema=part.schema))
                return part

            return write_items_csv(map(kept, self._worked_out()), out)

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
        self._settle_payload(whole_run_files)
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

    def _settle_payload(self, whole_run_files: list[PayloadFile]) -> None:
        """See that the directory holds what the manifest will name, and nothing else.

        What a killed attempt delivered and no result speaks of is removed. What was delivered and is gone (somebody
        cleaned up an unfinished directory) must be delivered again before anything is published.
        """
        run, prefix = self.run, f"{self.run.record.directory}/"
        # Sums of hashes do not depend on the order, and hold no million of names in memory.
        named = sum(hash((prefix + file.path, file.bytes)) for file in self._payload(whole_run_files))
        if named == sum(hash((entry.key, entry.bytes)) for entry in run.destination.list(f"{prefix}data/")):
            return
        awaited = {prefix + file.path: file.bytes for file in self._payload(whole_run_files)}
        there = {entry.key: entry.bytes for entry in run.destination.list(f"{prefix}data/")}
        missing = [key for key, size in awaited.items() if there.get(key) != size]
        if missing:
            raise _missing(missing, f"{run.destination.uri}/{prefix}")
        strays = [key for key in there if key not in awaited]
        try:
            run.destination.delete(strays)
        except RefusedError as error:
            raise RefusedError(
                "STRAY_FILES",
                f"{len(strays)} files of an interrupted attempt are in {run.destination.uri}/{prefix} and may not be "
                f"deleted, such as {strays[0]}",
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


def _missing(keys: list[str], directory: str) -> TransientError:
    *others, last = (stage.name for stage in STAGES.of(Phase.DELIVER))
    return TransientError(
        "FILES_MISSING",
        f"{len(keys)} files that were delivered to {directory} are not there any more, or were cut, such as {keys[0]}",
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
