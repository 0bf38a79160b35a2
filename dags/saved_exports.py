"""One Airflow DAG for each saved export of include/definitions/exports.

A file that does not load gives no DAG and leaves the others alone; `broken_definitions.py` says so.
"""

from __future__ import annotations

from airflow.sdk import get_parsing_context

from bulk_export.definitions.loader import load_definitions
from bulk_export_airflow.dag import build_dag
from bulk_export_airflow.site import definitions_folder

# A task that starts needs its own DAG only; Airflow says which.
wanted = get_parsing_context().dag_id
definitions = load_definitions(definitions_folder(), only_export=wanted and wanted.removeprefix("export-"))

for export in definitions.exports.values():
    if wanted in (None, export.dag_id):
        build_dag(export, definitions)
