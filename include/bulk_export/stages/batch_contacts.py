"""Cut the granted contacts into jobs and freeze their fields.

Of every other matched contact it is recorded why it is in none.

The order is oldest first (start time, then contact id), whatever order quota was spent in. Jobs are cut from the frozen
list of keys, so the same run always has the same jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from bulk_export.filters.preview import text_preview
from bulk_export.quota import Share
from bulk_export.reasons import ItemStatus, Reason
from bulk_export.runs.selection import run_share
from bulk_export.stages.stage import stage
from bulk_export.staging.run_staging import EXCLUDED, FRESH, KEYS, RunStaging, job_file
from bulk_export.staging.tables import lost

if TYPE_CHECKING:
    from bulk_export.contacts.base import ContactStore
    from bulk_export.runs.open_run import OpenRun


@stage
def batch_contacts(run: OpenRun) -> list[int]:
    """Cut the granted contacts into jobs, oldest first.

    Every field is frozen. Returns the job numbers, from 1.

    A run cleared and granted another share is cut anew; a dry run has no jobs.

    A run whose directory is finished is left alone.
    """
    if run.dry:
        return []
    if run.record.published:
        return list(range(1, run.record.jobs + 1))
    return cut_jobs(run)


def cut_jobs(run: OpenRun) -> list[int]:
    """Cut the jobs that are not there; returns the numbers of all.

    Every stage that needs them calls it: a power cut may have taken some since they were cut.
    """
    snapshot, share = run.snapshot, run_share(run)
    if run.staging.read_facts("share") != asdict(share):
        run.staging.forget_jobs()
        run.staging.write_facts("share", asdict(share))
    run.note_standing_folders()
    filters = [item for item in snapshot.search.filters if item.field == "text"]
    report = run.progress("batch_contacts", 0, share.granted)
    return write_jobs(
        run.staging,
        run.store,
        share=share,
        job_contacts=snapshot.licence.contacts_per_job,
        metadata_keys=snapshot.exportable_metadata,
        preview=(lambda body: text_preview(body, filters)) if filters else None,
        progress=lambda contacts: report(contacts_done=contacts, bytes_written=0),
    )


def job_contacts(run: OpenRun, job: int, columns: list[str]) -> pa.Table:
    """The contacts of a job, cut anew where it is lost.

    Raises:
        TransientError: STAGING_LOST, all jobs were lost, and there are fewer now.
    """
    if not run.staging.has(job_file(job)) and job not in cut_jobs(run):
        raise lost(f"job {job} of {run.record.run_id}")
    return run.staging.job(job, columns)


def write_jobs(
    staging: RunStaging,
    store: ContactStore,
    *,
    share: Share,
    job_contacts: int,
    metadata_keys: tuple[str, ...],
    preview: Callable[[str | None], str | None] | None,
    progress: Callable[[int], None],
) -> list[int]:
    """Write one Parquet file per job, and EXCLUDED for the rest.

    What is already written stays as it is.

    Args:
        staging: holds KEYS, and FRESH for incremental exports.
        store: where the fields are fetched from.
        share: how many keys go into jobs, and why the others do not.
        job_contacts: contacts per job at most.
        metadata_keys: exportable custom metadata, in the administrator's order.
        preview: makes the Text Preview from a contact's text; None when the search has no text filter.
        progress: called with the number of contacts written so far.

    Returns:
        The job numbers, from 1.
    """
    fresh = staging.left_to_export(["contact_id", "started_at"])
    if staging.has(FRESH):
        fresh = _granted_by_age(fresh, share.granted)
    jobs = range(1, -(-share.granted // job_contacts) + 1)
    missing = [number for number in jobs if not staging.has(job_file(number))]
    if missing:
        staging.forget_made_of_jobs()
    for number in missing:
        start = (number - 1) * job_contacts
        keys = fresh.slice(start, min(job_contacts, share.granted - start))
        table = store.fetch(keys, metadata_keys, with_text=preview is not None)
        previews: list[str | None] = [None] * table.num_rows
        if preview is not None:
            previews = [preview(text) for text in table["text"].to_pylist()]
            table = table.drop_columns(["text"])
        table = table.append_column("text_preview", pa.array(previews, pa.string()))
        staging.write_table(job_file(number), table)
        pa.default_memory_pool().release_unused()  # else a million contacts hold half as much again as the largest job
        progress(start + keys.num_rows)
    if not staging.has(EXCLUDED):
        staging.write_table(EXCLUDED, _excluded(staging, fresh, share, job_contacts, jobs))
    return list(jobs)


def _granted_by_age(keys: pa.Table, granted: int) -> pa.Table:
    """The keys that quota was spent on oldest first, then the others in their order."""
    by_age = keys.slice(0, granted).sort_by([("started_at", "ascending"), ("contact_id", "ascending")])
    return pa.concat_tables([by_age, keys.slice(granted)])


def _excluded(staging: RunStaging, fresh: pa.Table, share: Share, job_contacts: int, jobs: Sequence[int]) -> pa.Table:
    """One row per matched contact that no job holds."""
    parts: list[tuple[pa.ChunkedArray | pa.Array, ItemStatus, Reason]] = []
    for number in jobs:
        start = (number - 1) * job_contacts
        wanted = fresh["contact_id"].slice(start, min(job_contacts, share.granted - start))
        found = staging.job(number, ["contact_id"])["contact_id"]
        if len(found) != len(wanted):
            gone = wanted.filter(pc.invert(pc.is_in(wanted, value_set=found.combine_chunks())))
            parts.append((gone, ItemStatus.FAULTY, Reason.CONTACT_GONE))
    ids = fresh["contact_id"]
    parts.append((ids.slice(share.granted, share.over_quota), ItemStatus.DEFERRED, Reason.QUOTA_EXCEEDED))
    parts.append((ids.slice(share.granted + share.over_quota), ItemStatus.DEFERRED, Reason.LIMIT))
    if share.already_delivered:
        all_ids = staging.read_table(KEYS, ["contact_id"])["contact_id"]
        before = all_ids.filter(pc.invert(pc.is_in(all_ids, value_set=ids.combine_chunks())))
        parts.append((before, ItemStatus.ALREADY_DELIVERED, Reason.ALREADY_DELIVERED))
    return pa.concat_tables(
        pa.table(
            {
                "contact_id": pa.chunked_array(ids.chunks if isinstance(ids, pa.ChunkedArray) else [ids], pa.int64()),
                "status": pa.array([str(status)] * len(ids), pa.string()),
                "reason": pa.array([str(reason)] * len(ids), pa.string()),
            }
        )
        for ids, status, reason in parts
    )
