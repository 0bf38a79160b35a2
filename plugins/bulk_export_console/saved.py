"""List saved exports and searches: state, next run, last run, problems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bulk_export.definitions.loader import Definitions
from bulk_export.definitions.models import SavedExport, SavedSearch
from bulk_export.definitions.schedules import next_runs, start_of
from bulk_export.definitions.store import DefinitionStore
from bulk_export.errors import Problem
from bulk_export.state.records import RunRecord
from bulk_export.state.runs import RunFilters, list_runs
from bulk_export_console.context import ConsoleContext


@dataclass(frozen=True, slots=True)
class ExportRow:
    """One saved export.

    Attributes:
        id: the file's stem.
        export: None when the file does not load.
        search: None when the search it names is not there or does not load.
        state: `broken` (no DAG), `attention` (its runs would be refused), `disabled`, `scheduled` or `on_demand`.
        problems: everything wrong with its file and its search's.
        next_run: the next time, None without schedule.
        last: its latest run.
    """

    id: str
    export: SavedExport | None
    search: SavedSearch | None
    state: str
    problems: tuple[Problem, ...]
    next_run: datetime | None
    last: RunRecord | None

    @property
    def name(self) -> str:
        """Its name, or the file's stem where that cannot be read."""
        return self.export.name if self.export else self.id


def export_row(context: ConsoleContext, definitions: Definitions, id: str) -> ExportRow:
    """What is known of one export."""
    export = definitions.exports.get(id)
    files = {f"exports/{id}.yaml", f"searches/{export.search}.yaml" if export else ""}
    problems = tuple(problem for problem in definitions.problems if problem.file in files)
    runs = list_runs(context.site.engine, RunFilters(export_id=id), limit=1)
    return ExportRow(
        id=id,
        export=export,
        search=definitions.searches.get(export.search) if export else None,
        state=_state(export, problems),
        problems=problems,
        next_run=next(iter(upcoming(context, export, 1)), None) if export else None,
        last=runs[0] if runs else None,
    )


def export_rows(context: ConsoleContext, definitions: Definitions, store: DefinitionStore) -> list[ExportRow]:
    """Every export file, also those that do not load."""
    rows = [export_row(context, definitions, id) for id in store.ids("exports")]
    return sorted(rows, key=lambda row: row.name.lower())


def _state(export: SavedExport | None, problems: Sequence[Problem]) -> str:
    if export is None:
        return "broken"
    if not export.enabled:
        return "disabled"
    if problems:
        return "attention"
    return "scheduled" if export.schedule else "on_demand"


def upcoming(context: ConsoleContext, export: SavedExport, count: int) -> list[datetime]:
    """The next run times of an export; none where it is disabled."""
    if export.schedule is None or not export.enabled:
        return []
    # A schedule counts from its creation or last edit, which may lie ahead.
    since = (
        max(context.now(), start_of(export.effective_from, context.now())) if export.effective_from else context.now()
    )
    return next_runs(export.schedule, since, count)


@dataclass(frozen=True, slots=True)
class SearchRow:
    """One saved search.

    Attributes:
        id: the file's stem.
        search: None when the file does not load.
        problems: everything wrong with the file.
        used_by: ids of the exports that name it.
    """

    id: str
    search: SavedSearch | None
    problems: tuple[Problem, ...]
    used_by: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name, or the file's stem where that cannot be read."""
        return self.search.name if self.search else self.id


def search_rows(definitions: Definitions, store: DefinitionStore) -> list[SearchRow]:
    """Every search file, also those that do not load."""
    rows = [
        SearchRow(
            id,
            definitions.searches.get(id),
            tuple(problem for problem in definitions.problems if problem.file == f"searches/{id}.yaml"),
            tuple(export.id for export in definitions.exports.values() if export.search == id),
        )
        for id in store.ids("searches")
    ]
    return sorted(rows, key=lambda row: row.name.lower())
