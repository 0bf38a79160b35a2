"""Settle a run by the marker in its directory.

What the destination says is true, whatever the record says.

| the directory of a run that is not published | then |
|---|---|
| has no marker | it is unfinished |
| has the marker, and holds what was recorded before it | the run is published, as recorded |
| has the marker, and proves whole | the run is published, as its items.csv says |
| has the marker, and anything else | the marker is withdrawn before anything below it changes |

Whoever begins, goes on with or closes a run asks first: a process may have died, or lost its state database, between
the marker and the record.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.csv as pacsv

from bulk_export.bag.manifest import PAYLOAD_MANIFEST, TAG_MANIFEST
from bulk_export.bag.verify import verify_run
from bulk_export.bag.write import withdraw_marker
from bulk_export.errors import RefusedError
from bulk_export.items.table import items_schema, write_items_csv
from bulk_export.runs.open_run import OpenRun
from bulk_export.runs.outcome import outcome_counts, record_contacts
from bulk_export.state.publications import Publication, find_publication, record_published
from bulk_export.storage.reading import read

if TYPE_CHECKING:
    from bulk_export.items.table import ItemCounts

ITEMS_FILE = "data/items.csv"


def settle_marker(run: OpenRun) -> OpenRun:
    """Publish a run whose directory is finished.

    Else see that it has no marker.

    Returns the run as it is then.

    Raises:
        RefusedError: STRAY_FILES, the marker is wrong and may not be deleted; or the destination may not be listed.
        TransientError: the destination cannot be asked.
        LateAttemptError: another attempt has taken the run over.
    """
    record = run.record
    if record.published or not record.directory or run.dry:
        return run
    if run.destination.find(f"{record.directory}/{TAG_MANIFEST}") is None:
        return run
    publication = _recorded(run) or _proven(run)
    if publication is None:
        withdraw_marker(run.destination, record.directory)
        return run
    record_published(
        run.site.engine,
        record.run_id,
        manifest_sha256=publication.manifest_sha256,
        counts=publication.counts,
        now=run.site.clock(),
        attempt=run.attempt.number,
    )
    return run.reread()


def _recorded(run: OpenRun) -> Publication | None:
    """What was recorded before the marker, if the directory holds just that."""
    publication = find_publication(run.site.engine, run.record.run_id)
    if publication is None:
        return None
    sizes = [entry.bytes for entry in run.destination.list(f"{run.record.directory}/")]
    if (len(sizes), sum(sizes)) != (publication.files, publication.bytes):
        return None
    with suppress(RefusedError):  # an exporter that may not read trusts what it has written
        if _sha256(run, TAG_MANIFEST) != publication.marker_sha256:
            return None
    return publication


def _proven(run: OpenRun) -> Publication | None:
    """What items.csv says, if every file is there and right: nothing that fits was recorded before the marker."""
    report = verify_run(run.destination, run.record.directory)
    if not report.ok:
        return None
    counts = _counts(run)
    record_contacts(run, lambda: _items(run))
    return Publication(
        manifest_sha256=_sha256(run, PAYLOAD_MANIFEST),
        marker_sha256=_sha256(run, TAG_MANIFEST),
        files=report.files,
        bytes=report.bytes,
        counts=outcome_counts(run, counts),
    )


def _counts(run: OpenRun) -> ItemCounts:
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - counting is writing, and this text is there already
        return write_items_csv(_items(run), nowhere)


def _items(run: OpenRun) -> Iterator[pa.Table]:
    """The rows of the delivered items.csv, in parts."""
    schema = items_schema()
    types = pacsv.ConvertOptions(
        column_types={field.name: field.type for field in schema}, strings_can_be_null=True, null_values=[""]
    )
    with run.destination.open(f"{run.record.directory}/{ITEMS_FILE}") as stream:
        for batch in pacsv.open_csv(stream, convert_options=types):
            yield pa.Table.from_batches([batch])


def _sha256(run: OpenRun, name: str) -> str:
    return hashlib.sha256(read(run.destination, f"{run.record.directory}/{name}")).hexdigest()
