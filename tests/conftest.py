"""What every test shares: no test ever sees the Airflow of whoever runs it."""

import os
import tempfile

# Before anything imports airflow: a home of its own, and a database that cannot be opened.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="bulk-export-tests-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = "sqlite:////nonexistent/airflow.db"
