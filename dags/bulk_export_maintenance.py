"""The DAG that closes what nobody closed."""

from bulk_export_airflow.dag_files import maintenance_dag

dag = maintenance_dag()
