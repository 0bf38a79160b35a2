"""Run bulk contact exports in Airflow.

DAG files and the plugin import this adapter.

- `dag_files.py`: what each file of the DAG folder calls
- `dag.py`: the DAGs that export
- `tasks.py`: their tasks, one a stage, and the order of them
- `maintenance.py`: the DAG that closes lost runs, and its tasks
- `site.py`: what a task knows of its surroundings: the installation, and the run it belongs to
- `parameters.py`: the trigger forms, and how answers become run parameters
- `connections.py`, `aws_connection.py`: Airflow connections as credentials and database addresses
- `follow_up.py`: queues the run that exports the rest on the next quota day
- `assets.py`: each delivered directory as an event of an asset
- `notify.py`: webhook and e-mail about a run's end
- `metrics.py`: counters and timers of a run that has ended
- `refresh.py`: asks Airflow to read the definitions again now
- `maintenance_status.py`: asks Airflow when the maintenance DAG last succeeded
- `plugin.py`: registers the pages
- `permissions.py`: gives roles of FAB the permission to see the pages

`bulk_export` does not know this package.
"""
