"""The DAG that sends an export at once, as its form asks."""

from bulk_export_airflow.dag_files import immediate_export_dag

dag = immediate_export_dag()
