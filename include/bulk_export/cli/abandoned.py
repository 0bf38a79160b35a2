"""Close the runs of this machine that were killed.

Every command that opens the state database does so, before its own work.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bulk_export.errors import BulkExportError, RefusedError
from bulk_export.process import has_ended, process_of

if TYPE_CHECKING:
    from bulk_export.site import Site
    from bulk_export.state.records import RunRecord


def close_ended_runs(site: Site) -> int:
    """Close them, and say so on standard error.

    Returns how many could not be closed.
    """
    from bulk_export.maintenance import close_abandoned, ended_here

    left = 0
    for run_id in ended_here(site):
        try:
            record = close_abandoned(site, run_id, _of_airflow)
        except BulkExportError as error:
            left += 1
            print(f"The run {run_id}, whose process has ended, cannot be closed:\n{error}", file=sys.stderr)
            continue
        if record is not None:
            print(
                f"Closed the run {record.run_key} of {record.export_id}, whose process had ended: {record.status}. "
                f"`bulk-export run {record.export_id} --resume {record.run_key}` goes on with it.",
                file=sys.stderr,
            )
    return left


def refuse_if_running(record: RunRecord) -> None:
    """Refuse a run whose process is at work, or may be.

    Raises:
        RefusedError: RUN_ACTIVE.
    """
    from bulk_export.state.records import RunStatus

    process = process_of(record.process)
    if record.status is not RunStatus.RUNNING or process is None or (ended := has_ended(process)):
        return
    where = f"{process} is at work on it" if ended is False else f"it belongs to {process}, which cannot be seen here"
    raise RefusedError(
        "RUN_ACTIVE",
        f"the run {record.run_key} is open, and {where}",
        hint="Wait until it has ended, or stop it there."
        if ended is False
        else f"Close it there, or, if that machine is gone: bulk-export audit close {record.run_key} --force",
    )


def _of_airflow(dag_id: str, dag_run_id: str) -> bool:
    """Airflow cannot be asked here; its own maintenance closes its runs."""
    return True
