"""No DAG: the place where Airflow says which definitions do not load, and why.

An error raised here shows in the UI as a DAG import error, while the DAGs of all other definitions stay up.
"""

from __future__ import annotations

from airflow.sdk import get_parsing_context

from bulk_export.definitions.loader import load_definitions
from bulk_export.errors import DefinitionError
from bulk_export_airflow.site import definitions_folder

if get_parsing_context().dag_id is None:
    folder = definitions_folder()
    blocking = [problem for problem in load_definitions(folder).problems if problem.blocks_loading]
    if blocking:
        files = sorted({problem.file for problem in blocking})
        raise DefinitionError(
            "DEFINITION_INVALID",
            f"{len(files)} of the definitions in {folder} do not load: {', '.join(files)}",
            hint="Fix the lines named above. All other exports are up and run as planned.",
            problems=blocking,
        )
