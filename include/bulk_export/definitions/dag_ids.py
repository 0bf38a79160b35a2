"""DAG ids of exports, and exports of DAG ids."""

from __future__ import annotations

IMMEDIATE_DAG_ID = "bulk_contact_export_now"
MAINTENANCE_DAG_ID = "bulk_export_maintenance"
_SAVED = "export-"


def dag_id_of(export_id: str) -> str:
    """The DAG id of a saved export.

    Made from the file's stem, so that renaming keeps the history.
    """
    return _SAVED + export_id


def export_id_of(dag_id: str) -> str | None:
    """The saved export of a DAG, None for another DAG."""
    return dag_id.removeprefix(_SAVED) if dag_id.startswith(_SAVED) else None
