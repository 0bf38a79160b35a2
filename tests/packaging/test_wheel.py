"""The wheel where people have no checkout: alone, and in an Airflow whose DAG bundle `init` has made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

import bulk_export
from bulk_export.starter.write import starting_files

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
UV = [sys.executable, "-m", "uv"]
# For a machine that does much else; each takes seconds.
PATIENCE_S = 540

# What Airflow finds, parses and shows, seen from inside: the pages answer in its own app, to whoever has a token.
LOOK = """
import json, os
from airflow.api_fastapi.app import create_app
from airflow.dag_processing.bundles.manager import DagBundlesManager
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.plugins_manager import _get_plugins
from starlette.testclient import TestClient

[bundle] = DagBundlesManager().get_all_dag_bundles()
bag = BundleDagBag(dag_folder=bundle.path, bundle_path=bundle.path, bundle_name=bundle.name)
plugins, errors = _get_plugins()
pages = {}
with TestClient(create_app()) as client:
    client.headers["Authorization"] = "Bearer " + client.get("/auth/token").json()["access_token"]
    client.headers["Accept"] = "text/html"
    for name in ("audit", "exports", "searches", "new", "static/console.css", "audit?language=es"):
        answer = client.get(f"/bulk-export/{name}")
        pages[name] = [answer.status_code, answer.text]
    del os.environ["BULK_EXPORT_DEFINITIONS"]
    answer = client.get("/bulk-export/audit")
    pages["without"] = [answer.status_code, answer.text]
print(json.dumps({
    "dags": {name: [str(dag.fileloc), len(dag.tasks)] for name, dag in bag.dags.items()},
    "import_errors": bag.import_errors,
    "plugins": [[plugin.name, str(plugin.source)] for plugin in plugins],
    "plugin_errors": errors,
    "pages": pages,
}))
"""


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the wheel in it, and nothing of this checkout on its path."""

    root: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        kept = {name: os.environ[name] for name in ("HOME", "LANG", "PATH", "TMPDIR") if name in os.environ}
        command = [self.root / "bin" / program, *arguments]
        environment = {**kept, **self.variables}
        return subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )

    def output(self, program: str, *arguments: str | Path) -> str:
        done = self.run(program, *arguments)
        assert done.returncode == 0, f"{program} {arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def installed(root: Path, wanted: str, variables: Mapping[str, str] | None = None) -> Environment:
    """A new environment with the wheel, at the versions of the lock."""
    lock = str(PROJECT / "constraints.txt")
    for command in (
        ["venv", "--quiet", "--python", sys.executable, str(root)],
        ["pip", "install", "--quiet", "--python", str(root / "bin/python"), "--constraint", lock, wanted],
    ):
        done = subprocess.run([*UV, *command], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
        assert done.returncode == 0, done.stderr
    return Environment(root, variables or {})


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one wheel, built with the pinned build tool of this environment."""
    folder = tmp_path_factory.mktemp("dist")
    options = ["--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", str(folder)]
    done = subprocess.run([*UV, "build", *options], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel without any extra."""
    return installed(tmp_path_factory.mktemp("alone") / "venv", str(wheel))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `init` fills and Airflow has as its only DAG bundle."""
    return tmp_path_factory.mktemp("bundle") / "exports"


@pytest.fixture(scope="module")
def airflow(wheel: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel beside Airflow, which has a database of its own, one DAG bundle and no DAG folder."""
    root = tmp_path_factory.mktemp("airflow")
    bundles = [
        {
            "name": "exports",
            "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
            "kwargs": {"path": str(bundle)},
        }
    ]
    variables = {
        "AIRFLOW_HOME": str(root / "home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(root / "there-is-none"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "BULK_EXPORT_DEFINITIONS": str(bundle / "definitions"),
    }
    found = installed(root / "venv", f"bulk-contact-export[airflow] @ {wheel.as_uri()}", variables)
    found.output("airflow-bulk-export", "init", bundle)
    found.output("bulk-export", "sample-store", bundle / "var/store", "--contacts", "20")
    found.output("airflow", "db", "migrate")
    return found


def test_one_wheel_has_every_package_with_its_files(wheel: Path) -> None:
    assert wheel.name == f"bulk_contact_export-{bulk_export.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        [points] = [archive.read(name).decode() for name in names if name.endswith("/entry_points.txt")]
    tops = {name.partition("/")[0] for name in names}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    assert packages == {"bulk_export", "bulk_export_airflow", "bulk_export_console", "bulk_export_sample"}
    sources = [*(PROJECT / "include").glob("bulk_export*"), PROJECT / "plugins/bulk_export_console"]
    files = {
        path.relative_to(source.parent).as_posix()
        for source in sources
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files - names == set()
    assert {"bulk_export_console/es.json", "bulk_export_console/templates/base.html"} <= names
    assert "[airflow.plugins]" in points and "airflow-bulk-export = " in points


def test_without_airflow_the_command_line_exports_and_verifies(alone: Environment, tmp_path: Path) -> None:
    assert alone.run("python", "-c", "import airflow").returncode == 1
    assert alone.output("bulk-export", "--version").strip() == f"bulk-export {bulk_export.__version__}"
    assert "init" in alone.output("bulk-export", "--help")
    alone.output("bulk-export", "init", tmp_path)
    here = ("--definitions", str(tmp_path / "definitions"))
    assert "No problems; 1 exports" in alone.output("bulk-export", *here, "validate")
    alone.output("bulk-export", "sample-store", tmp_path / "var/store", "--contacts", "20")
    alone.output("bulk-export", *here, "check-store")
    record = json.loads(alone.output("bulk-export", *here, "run", "first-export", "--json"))
    assert record["status"] == "COMPLETED"
    assert record["exported"] == record["matched"] > 0
    [run] = (tmp_path / "var/exports").glob("*/*")
    assert "Valid: " in alone.output("bulk-export", "verify", run)


@pytest.mark.parametrize(
    ("line", "instead", "command", "code"),
    [
        ("state: {url: sqlite:///../var/state.db}", "state: {url: postgresql://a@localhost/b}", "migrate", "STATE"),
        (
            "contact_store: {type: parquet, uri: ../var/store}",
            "contact_store: {type: postgres, connection: contacts_db, objects: ../var/store}",
            "check-store",
            "STORE",
        ),
    ],
    ids=["state", "contacts"],
)
def test_without_the_driver_of_postgresql_it_says_what_to_install(
    alone: Environment, tmp_path: Path, line: str, instead: str, command: str, code: str
) -> None:
    alone.output("bulk-export", "init", tmp_path)
    settings = tmp_path / "definitions/settings.yaml"
    assert line in settings.read_text().splitlines()
    settings.write_text(settings.read_text().replace(f"\n{line}", f"\n{instead}"))
    known = replace(alone, variables={"AIRFLOW_CONN_CONTACTS_DB": "postgresql://a@localhost/b"})
    done = known.run("bulk-export", "--definitions", tmp_path / "definitions", command)
    assert done.returncode == 1
    assert f"{code}_DRIVER_MISSING" in done.stderr and "bulk-contact-export[postgres]" in done.stderr


def test_without_a_definitions_folder_it_says_how_to_name_one(alone: Environment) -> None:
    done = alone.run("bulk-export", "validate")
    assert done.returncode == 2
    assert "BULK_EXPORT_DEFINITIONS" in done.stderr


def test_airflow_parses_the_bundle_has_the_plugin_once_and_shows_the_pages(airflow: Environment, bundle: Path) -> None:
    seen = json.loads(airflow.output("python", "-c", LOOK).splitlines()[-1])
    assert seen["import_errors"] == {}
    assert {name: (Path(file).name, tasks) for name, (file, tasks) in seen["dags"].items()} == {
        "bulk_contact_export_now": ("bulk_contact_export_now.py", 8),
        "bulk_export_maintenance": ("bulk_export_maintenance.py", 6),
        "export-first-export": ("saved_exports.py", 8),
    }
    ours = [source for name, source in seen["plugins"] if name == "bulk_export"]
    assert ours == [
        f"bulk-contact-export=={bulk_export.__version__}: EntryPoint(name='bulk_export', "
        "value='bulk_export_airflow.plugin:BulkExportPlugin', group='airflow.plugins')"
    ]
    assert seen["plugin_errors"] == {}
    pages = seen["pages"]
    status, text = pages.pop("without")
    assert (status, "Set the environment variable BULK_EXPORT_DEFINITIONS" in text) == (422, True)
    assert {name: status for name, (status, _) in pages.items() if status != 200} == {}
    assert "First export" in pages["exports"][1]
    assert 'lang="es"' in pages["audit?language=es"][1]


def test_a_run_of_the_bundles_export_delivers(airflow: Environment, bundle: Path) -> None:
    airflow.output("airflow", "dags", "test", "export-first-export")
    [run] = (bundle / "var/exports").glob("*/*")
    assert "Valid: " in airflow.output("bulk-export", "verify", run)


def test_init_again_changes_nothing(airflow: Environment, bundle: Path) -> None:
    told = airflow.output("airflow-bulk-export", "init", bundle)
    assert f"{len(starting_files())} were there already, with the same content." in told
