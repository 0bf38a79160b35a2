"""Name the DAGs: which id an export's DAG has, and which export a DAG id belongs to."""

from __future__ import annotations

IMMEDIATE_DAG_ID = "bulk_contact_export_now"
MAINTENANCE_DAG_ID = "bulk_export_maintenance"
_SAVED = "export-"


def dag_id_of(export_id: str) -> str:
    """The DAG id of a saved export; made from the file's stem, so that renaming keeps the history."""
    return _SAVED + export_id


def export_id_of(dag_id: str) -> str | None:
    """The saved export behind a DAG id; None where the DAG is not that of a saved export."""
    return dag_id.removeprefix(_SAVED) if dag_id.startswith(_SAVED) else None
