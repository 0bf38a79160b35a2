"""The Airflow adapter: DAGs, tasks, connections, assets and notifications of bulk contact exports."""
