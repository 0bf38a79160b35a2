"""Decide what a run will do before it does anything.

Its definitions as a snapshot, or everything that is wrong.

Nothing is written or charged here. The order of the checks is the order in which somebody would fix them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bulk_export.definitions.loader import Definitions
from bulk_export.definitions.models import SavedExport, SavedSearch
from bulk_export.definitions.run import ImmediateExport, RunParameters, RunSnapshot
from bulk_export.definitions.settings import Licence, Settings
from bulk_export.errors import BulkExportError, DefinitionError, Problem, RefusedError
from bulk_export.filters.completeness import problems as filter_problems
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class RunRequest:
    """Who wants which export to run, and how.

    Attributes:
        run_id: unique and the same for every retry; decides the run's key and directory.
        export_id: the saved export; ignored when `immediate` is given.
        trigger: `schedule`, `manual`, `continuation`, `backfill` or `cli`.
        triggered_by: user name, empty for the scheduler.
        as_of: the moment relative dates are counted from (the logical date), aware.
        parameters: what is changed for this run only.
        immediate: an export that is sent at once instead of a saved one.
        dag_id: the DAG of the run, empty outside Airflow; with `dag_run_id` and `dag_run_url`.
        continues_run_id: the run whose rest this one exports.
        queued_at: when the run was due, aware; None means when its first stage begins.
        process: JSON text of the process that runs it (`process.py`); empty in Airflow.
        refusal: why the request as such cannot be taken, such as parameters that make no sense; it is audited.
    """

    run_id: str
    export_id: str
    trigger: str
    as_of: datetime
    triggered_by: str = ""
    parameters: RunParameters = field(default_factory=RunParameters)
    immediate: ImmediateExport | None = None
    dag_id: str = ""
    dag_run_id: str = ""
    dag_run_url: str = ""
    continues_run_id: str = ""
    queued_at: datetime | None = None
    process: str = ""
    refusal: BulkExportError | None = None


def requested_export(definitions: Definitions, request: RunRequest) -> SavedExport:
    """The export a run is for.

    Raises:
        DefinitionError: EXPORT_UNKNOWN when there is no such file, DEFINITION_INVALID when it does not load.
    """
    if request.immediate is not None:
        return request.immediate.as_export()
    return definitions.require_export(request.export_id)


def run_snapshot(definitions: Definitions, export: SavedExport, request: RunRequest) -> RunSnapshot:
    """The definitions of a run that may go on.

    Raises:
        RefusedError: LICENCE_NONE.
        DefinitionError: FILTER_INCOMPLETE, SEARCH_UNKNOWN, STORAGE_UNKNOWN or DEFINITION_INVALID, naming every
            problem; with several kinds the code is that of the first.
    """
    settings = definitions.require_settings()
    licence = licensed(settings)
    location_name = request.parameters.storage_location or export.storage_location
    location = settings.storage_locations.get(location_name)
    search = definitions.searches.get(export.search)
    refusals: list[tuple[str, Sequence[Problem], str]] = []
    if search is None:
        refusals.append(("SEARCH_UNKNOWN", _missing_search(definitions, export), "Name a saved search that exists."))
    elif problems := _incomplete(definitions, search):
        refusals.append(("FILTER_INCOMPLETE", problems, "Complete every filter named above, or remove it."))
    if location is None:
        why = f"there is no storage location '{location_name}'." + did_you_mean(
            location_name, settings.storage_locations
        )
        refusals.append(
            ("STORAGE_UNKNOWN", [Problem("settings.yaml", 0, "storage_locations", why)], "Name a configured location.")
        )
    if refusals or search is None or location is None:
        raise DefinitionError(
            refusals[0][0],
            f"the export '{export.id}' cannot run",
            hint=" ".join(hint for _, _, hint in refusals),
            problems=[problem for _, problems, _ in refusals for problem in problems],
        )
    return RunSnapshot(
        export=export.model_copy(update={"storage_location": location_name}),
        search=search,
        environment=settings.environment,
        licence=licence,
        contact_store=settings.contact_store,
        storage_location=location,
        exportable_metadata=settings.exportable_metadata,
        parameters=request.parameters,
        as_of=request.as_of,
    )


def licensed(settings: Settings) -> Licence:
    """The environment's licence; `RefusedError` LICENCE_NONE where there is none."""
    if settings.licence.type == "none":
        raise RefusedError(
            "LICENCE_NONE",
            f"the environment '{settings.environment.name}' has no bulk export licence",
            hint="Set licence.type in settings.yaml to standard or performance once a licence is assigned.",
        )
    return settings.licence


def _missing_search(definitions: Definitions, export: SavedExport) -> list[Problem]:
    name = f"searches/{export.search}.yaml"
    broken = [problem for problem in definitions.problems if problem.file == name]
    known = [path.stem for path in (definitions.folder / "searches").glob("*.yaml")]
    why = f"there is no saved search '{export.search}'." + did_you_mean(export.search, known)
    return broken or [Problem(f"exports/{export.id}.yaml", 0, "search", why)]


def _incomplete(definitions: Definitions, search: SavedSearch) -> list[Problem]:
    name = f"searches/{search.id}.yaml"
    fields = field_catalog(definitions.require_settings().exportable_metadata)
    by_words = {problem.message: problem for problem in definitions.problems if problem.file == name}
    found = [str(problem) for problem in filter_problems(search.filters, fields)]
    return [by_words.get(words, Problem(name, 0, "", words)) for words in found]
