"""No DAG: its import error shows which definitions do not load."""

from bulk_export_airflow.dag_files import report_broken_definitions

report_broken_definitions()
