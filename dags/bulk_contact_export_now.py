"""The DAG that sends an export at once: whoever triggers it says in its form which contacts go where, and how."""

from __future__ import annotations

from airflow.sdk import DAG, get_parsing_context

from bulk_export.definitions.loader import load_definitions
from bulk_export_airflow.dag import OWNER, TAG, room_of
from bulk_export_airflow.parameters import immediate_params
from bulk_export_airflow.site import definitions_folder
from bulk_export_airflow.tasks import export_tasks

# A task that starts needs no drop-downs, so only the settings are read then.
starting = get_parsing_context().dag_id is not None
definitions = load_definitions(definitions_folder(), only_export="" if starting else None)

with DAG(
    dag_id="bulk_contact_export_now",
    dag_display_name="Bulk contact export now",
    description="Export the contacts of a saved search immediately, without saving the export",
    doc_md=__doc__,
    schedule=None,
    is_paused_upon_creation=False,
    default_args={"owner": OWNER},
    tags=[TAG, "immediate"],
) as dag:
    export_tasks(None, room=room_of(definitions))
# Only now, as in `bulk_export_airflow.dag.py`: no task needs a copy of the form.
dag.params.update(immediate_params(definitions))
