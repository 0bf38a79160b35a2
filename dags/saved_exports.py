"""One Airflow DAG for each saved export."""

from bulk_export_airflow.dag_files import saved_export_dags

globals().update(saved_export_dags())
