"""Record that a run's directory is finished.

First what it will hold; then, with its marker there, that it does.

Whoever finds the marker of a run that is not published has here all that there is to record. Nothing of it counts
before: a run that is killed in between has published nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, delete, select

from bulk_export.state.attempts import lock_attempt
from bulk_export.state.database import transaction, upsert
from bulk_export.state.records import RunRecord
from bulk_export.state.reservations import settle_within
from bulk_export.state.runs import change_run, check_counted, lock_run, read_run
from bulk_export.state.tables import publications
from bulk_export.state.undelivered import forget_delivered


@dataclass(frozen=True, slots=True)
class Publication:
    """What a finished directory holds.

    Attributes:
        manifest_sha256: digest of its manifest, which pins every file.
        marker_sha256: digest of its tag manifest, the marker.
        files: files in it, the marker among them.
        bytes: their size together.
        counts: what the record will say then: fields of `RunRecord` that are counted.
    """

    manifest_sha256: str
    marker_sha256: str
    files: int
    bytes: int
    counts: Mapping[str, Any] = field(default_factory=dict)


def record_publication(engine: Engine, run_id: str, publication: Publication, *, attempt: int) -> None:
    """Record what the directory holds, before its marker is written.

    Raises:
        LateAttemptError: another attempt has taken over.
    """
    check_counted(publication.counts)
    values = {
        "manifest_sha256": publication.manifest_sha256,
        "marker_sha256": publication.marker_sha256,
        "files": publication.files,
        "bytes": publication.bytes,
        "counts": dict(publication.counts),
    }
    with transaction(engine) as connection:
        lock_attempt(connection, run_id, attempt)
        upsert(connection, publications, [{"run_id": run_id} | values])


def find_publication(engine: Engine, run_id: str) -> Publication | None:
    """What the latest attempt has recorded; None when it has nothing."""
    c = publications.c
    columns = (c.manifest_sha256, c.marker_sha256, c.files, c.bytes, c.counts)
    with transaction(engine, reading=True) as connection:
        row = connection.execute(select(*columns).where(c.run_id == run_id)).one_or_none()
    return None if row is None else Publication(*row)


def forget_publication(engine: Engine, run_id: str) -> None:
    """Forget what a run was about to publish: it has failed before."""
    with transaction(engine) as connection:
        lock_run(connection, run_id)
        connection.execute(delete(publications).where(publications.c.run_id == run_id))


def record_published(
    engine: Engine,
    run_id: str,
    *,
    manifest_sha256: str,
    now: datetime,
    counts: Mapping[str, Any] | None = None,
    attempt: int | None = None,
) -> RunRecord:
    """Record that the run's directory is finished, its marker included.

    In one transaction its counts and deliveries count, and the quota is charged with what it exported. The first time
    of publishing stays.

    Args:
        engine: the state database.
        run_id: the run.
        manifest_sha256: digest of its manifest.
        now: aware time.
        counts: fields of the record that are declared as counted.
        attempt: that says so; None for whoever found the marker.

    Raises:
        DefinitionError: RUN_UNKNOWN.
        LateAttemptError: another attempt has taken over.
    """
    check_counted(counts or {})
    with transaction(engine) as connection:
        record = lock_run(connection, run_id) if attempt is None else lock_attempt(connection, run_id, attempt)
        found = {"manifest_sha256": manifest_sha256, "published_at": record.published_at or now}
        change_run(connection, run_id, {**(counts or {}), **found})
        forget_delivered(connection, record.export_id, run_id)
        charge_exported(connection, read_run(connection, run_id))
        return read_run(connection, run_id)


def charge_exported(connection: Connection, record: RunRecord) -> int | None:
    """Charge a run what it exported; returns as `settle_within` does.

    Within a transaction that has locked it.
    """
    # A bug in the counts must not keep a run from being closed.
    return settle_within(connection, record.run_id, min(record.exported, record.granted or 0))
