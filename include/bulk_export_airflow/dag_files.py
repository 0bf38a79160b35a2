"""Make the DAGs that Airflow asks for, one function a file.

A DAG file is one import and one call, the same in a checkout and where the package is installed. Each function takes
the definitions folder; without one it is that of the environment variable BULK_EXPORT_DEFINITIONS, or the checkout's
own. Where a task starts, Airflow asks for one DAG, and only that one is made.
"""

from __future__ import annotations

import os
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

from bulk_export.definitions.dag_ids import IMMEDIATE_DAG_ID, MAINTENANCE_DAG_ID, export_id_of
from bulk_export.definitions.folder import definitions_folder
from bulk_export.definitions.loader import load_definitions
from bulk_export.errors import DefinitionError
from bulk_export_airflow.dag import build_immediate_dag, build_saved_dag
from bulk_export_airflow.maintenance import build_maintenance_dag


def saved_export_dags(folder: Path | None = None) -> dict[str, DAG]:
    """One DAG for each saved export, by DAG id.

    A file that does not load gives no DAG and leaves the others alone; `report_broken_definitions` says so.
    """
    asked = get_parsing_context().dag_id
    only = None if asked is None else export_id_of(asked)
    if asked is not None and only is None:
        return {}
    definitions = load_definitions(_folder(folder), only_export=only)
    return {export.dag_id: build_saved_dag(export, definitions) for export in definitions.exports.values()}


def immediate_export_dag(folder: Path | None = None) -> DAG | None:
    """The DAG that exports at once; None where Airflow asks for another."""
    asked = get_parsing_context().dag_id
    if asked not in {None, IMMEDIATE_DAG_ID}:
        return None
    # A task that starts needs no drop-downs, so only the settings are read then.
    return build_immediate_dag(load_definitions(_folder(folder), only_export=None if asked is None else ""))


def maintenance_dag(folder: Path | None = None) -> DAG | None:
    """The DAG that closes abandoned runs.

    None where Airflow asks for another.
    """
    if get_parsing_context().dag_id not in {None, MAINTENANCE_DAG_ID}:
        return None
    return build_maintenance_dag(_folder(folder))


def report_broken_definitions(folder: Path | None = None) -> None:
    """Raise what is wrong with definitions that give no DAG.

    Airflow shows it as an import error.

    Raises:
        DefinitionError: DEFINITION_INVALID with every problem; nothing is raised while one DAG is asked for.
    """
    if get_parsing_context().dag_id is not None:
        return
    place = _folder(folder)
    blocking = [problem for problem in load_definitions(place).problems if problem.blocks_loading]
    if blocking:
        files = sorted({problem.file for problem in blocking})
        raise DefinitionError(
            "DEFINITION_INVALID",
            f"{len(files)} of the definitions in {place} do not load: {', '.join(files)}",
            hint="Fix the lines named above. All other exports are up and run as planned.",
            problems=blocking,
        )


def _folder(folder: Path | None) -> Path:
    return definitions_folder(os.environ) if folder is None else folder
