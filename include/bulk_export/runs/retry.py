"""Retry exactly the contacts that an earlier run could not deliver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bulk_export.errors import DefinitionError
from bulk_export.reasons import ItemStatus
from bulk_export.state.items import contacts_with
from bulk_export.state.runs import find_run

if TYPE_CHECKING:
    from bulk_export.site import Site


def check_retried(site: Site, export_id: str, name: str) -> None:
    """See that there is something to retry.

    Args:
        site: the installation.
        export_id: of the run that retries.
        name: the earlier run's id or key.

    Raises:
        DefinitionError: RUN_UNKNOWN; or NOTHING_LEFT when no contact of it failed, or it was another export's.
    """
    earlier = find_run(site.engine, name)
    if earlier.export_id != export_id:
        why = f"was a run of the export '{earlier.export_id}', not of '{export_id}'"
    elif not earlier.by_status.get(ItemStatus.FAULTY):
        why = "has no contact that it could not deliver"
    else:
        return
    raise DefinitionError(
        "NOTHING_LEFT",
        f"the run {earlier.run_id} {why}",
        hint="`bulk-export audit show` says what became of its contacts. A run that failed as a whole goes on from"
        " where it stopped when its tasks are cleared in Airflow.",
    )


def failed_contacts(site: Site, name: str) -> list[int]:
    """Ids of the contacts an earlier run could not deliver.

    Raises `DefinitionError` RUN_UNKNOWN.
    """
    return contacts_with(site.engine, find_run(site.engine, name).run_id, (ItemStatus.FAULTY,))
