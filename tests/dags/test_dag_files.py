"""The files of the DAG folder, and such as somebody writes for a DAG bundle of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bulk_export.errors import DefinitionError

PROJECT = Path(__file__).resolve().parents[2]
BUNDLE_FILE = (
    "from pathlib import Path\n"
    "from bulk_export_airflow.dag_files import {name}\n"
    "made = {name}(Path(__file__).parent / 'definitions')\n"
    "globals().update(made if isinstance(made, dict) else {{'dag': made}})\n"
)


def test_every_dag_file_is_a_docstring_one_import_and_one_call() -> None:
    for path in sorted((PROJECT / "dags").glob("*.py")):
        lines = [line for line in path.read_text().splitlines() if line]
        assert len(lines) == 3, path.name
        assert lines[1].startswith("from bulk_export_airflow.dag_files import "), path.name


def test_a_dag_file_of_a_bundle_may_name_the_definitions_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow.dag_processing.dagbag import BundleDagBag

    monkeypatch.delenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", raising=False)
    monkeypatch.setenv("BULK_EXPORT_DEFINITIONS", str(tmp_path / "elsewhere"))
    folder = shutil.copytree(PROJECT / "include/definitions", tmp_path / "definitions")
    (folder / "exports/weekly-detractors.yaml").rename(folder / "exports/beside.yaml")
    for name in ("saved_export_dags", "immediate_export_dag", "maintenance_dag"):
        (tmp_path / f"{name}.py").write_text(BUNDLE_FILE.format(name=name))
    bag = BundleDagBag(dag_folder=tmp_path, bundle_path=tmp_path, bundle_name="mine")
    assert bag.import_errors == {}
    assert "export-beside" in bag.dags
    # Tasks work on the definitions that their DAG was made from.
    assert {dag.user_defined_macros["definitions_folder"] for dag in bag.dags.values()} == {folder}


def test_an_installed_package_without_a_named_folder_says_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bulk_export.definitions import folder
    from bulk_export_airflow.dag_files import saved_export_dags

    monkeypatch.delenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", raising=False)
    monkeypatch.delenv("BULK_EXPORT_DEFINITIONS", raising=False)
    monkeypatch.setattr(folder, "PROJECT_DEFINITIONS", tmp_path / "definitions")
    with pytest.raises(DefinitionError, match=r"DEFINITIONS_MISSING.*\n.*BULK_EXPORT_DEFINITIONS"):
        saved_export_dags()
