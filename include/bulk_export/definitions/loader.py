"""Files → definitions, or every problem at once.

A file that does not load gives no definition and leaves the others alone. What only a run can be refused for (an
incomplete filter, a search that does not exist) is a problem too, but the definition is there: its DAG appears, and the
run's first task says the same words.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bulk_export.definitions.definition_file import UnreadableDefinitionError, definition_files
from bulk_export.definitions.folder import DEFINITIONS_VARIABLE
from bulk_export.definitions.messages import problems_of
from bulk_export.definitions.models import SavedExport, SavedSearch
from bulk_export.definitions.settings import Settings
from bulk_export.definitions.values import Model
from bulk_export.definitions.yaml_file import YamlFile, read_yaml, shown_name
from bulk_export.errors import DefinitionError, Problem
from bulk_export.filters.completeness import problems as filter_problems
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.suggestions import did_you_mean

Definition = TypeVar("Definition", bound=Model)


@dataclass(frozen=True, slots=True)
class Definitions:
    """Everything a folder of definitions holds.

    Attributes:
        folder: where the files are; relative paths in settings.yaml start here.
        settings: None when settings.yaml does not load.
        searches: by id (the file's stem); files that do not load are left out.
        exports: the same.
        problems: everything wrong, by file and line.
    """

    folder: Path
    settings: Settings | None
    searches: Mapping[str, SavedSearch]
    exports: Mapping[str, SavedExport]
    problems: tuple[Problem, ...]

    def require_settings(self) -> Settings:
        """The settings, or `DefinitionError` DEFINITION_INVALID with what is wrong with them."""
        if self.settings is None:
            raise DefinitionError(
                "DEFINITION_INVALID",
                f"the settings in {self.folder / 'settings.yaml'} do not load",
                hint="Fix the lines named above; `bulk-export validate` lists every problem.",
                problems=[problem for problem in self.problems if problem.file == "settings.yaml"],
            )
        return self.settings

    def require_export(self, id: str) -> SavedExport:
        """A saved export.

        Raises:
            DefinitionError: EXPORT_UNKNOWN when there is no such file, DEFINITION_INVALID when it does not load.
        """
        if id in self.exports:
            return self.exports[id]
        name = f"exports/{id}.yaml"
        problems = [problem for problem in self.problems if problem.file == name]
        if problems:
            raise DefinitionError(
                "DEFINITION_INVALID",
                f"the saved export '{id}' does not load",
                hint=f"Fix {name}; `bulk-export validate` lists every problem.",
                problems=problems,
            )
        known = (path.stem for path in (self.folder / "exports").glob("*.yaml"))
        raise DefinitionError(
            "EXPORT_UNKNOWN",
            f"there is no saved export '{id}' in {self.folder / 'exports'}." + did_you_mean(id, known),
            hint="Name one of the files there, without .yaml.",
        )


def load_definitions(folder: Path, only_export: str | None = None) -> Definitions:
    """Read settings, searches and exports.

    Args:
        folder: holds `settings.yaml`, `searches/` and `exports/`.
        only_export: read just this export (and the search it names): what a task's start needs, whatever else there is.

    Raises:
        DefinitionError: DEFINITIONS_MISSING when the folder does not exist.
    """
    if not folder.is_dir():
        raise DefinitionError(
            "DEFINITIONS_MISSING",
            f"there is no definitions folder at {folder}",
            hint=f"Point --definitions, or {DEFINITIONS_VARIABLE}, at the folder that holds settings.yaml.",
        )
    problems: list[Problem] = []
    files: dict[str, YamlFile] = {}

    def load(name: str, model: type[Definition]) -> Definition | None:
        files[name] = file = read_yaml(folder, name)
        problems.extend(file.problems)
        if file.problems:
            return None
        identity = {} if model is Settings else {"id": Path(name).stem}
        if not isinstance(file.value, dict):
            problems.append(Problem(name, 1, "", "must be a mapping of keys to values"))
            return None
        given_id = [Problem(name, file.line(("id",)), "id", "unknown key 'id'. Remove it: the file's name is the id.")]
        problems.extend(given_id if identity and "id" in file.value else [])
        try:
            return model.model_validate(file.value | identity)
        except ValidationError as error:
            problems.extend(problems_of(error, model, file, name))
            return None

    def load_all(kind: str, model: type[Definition], only: str | None) -> dict[str, Definition]:
        loaded = {}
        try:
            found = definition_files(folder, kind) if only is None else _asked_for(folder / kind, only)
        except UnreadableDefinitionError as error:
            problems.append(Problem(kind, 0, "", str(error)))
            return {}
        for file_name in found:
            name, stem = f"{kind}/{file_name}", Path(file_name).stem
            if Path(file_name).suffix != ".yaml":
                problems.append(Problem(shown_name(name), 0, "", "must be named .yaml to be read"))
            elif (definition := load(name, model)) is not None:
                loaded[stem] = definition
        return loaded

    settings = load("settings.yaml", Settings)
    exports = load_all("exports", SavedExport, only_export)
    only_search = exports[only_export].search if only_export in exports else only_export
    searches = load_all("searches", SavedSearch, only_search)
    broken_searches = {Path(name).stem for name in files if name.startswith("searches/")} - set(searches)
    if settings is not None:
        for search in searches.values():
            problems.extend(_incomplete(search, settings, files[f"searches/{search.id}.yaml"]))
    for export in exports.values():
        problems.extend(_unmet(export, settings, searches, broken_searches, files[f"exports/{export.id}.yaml"]))
    return Definitions(folder, settings, searches, exports, tuple(sorted(set(problems))))


def _asked_for(folder: Path, only: str) -> list[str]:
    """The definition file asked for, without listing a thousand others."""
    return [name for name in (f"{only}.yaml", f"{only}.yml") if os.path.lexists(folder / name)]


def _incomplete(search: SavedSearch, settings: Settings, file: YamlFile) -> list[Problem]:
    """The filters of a search that a run would refuse."""
    name = f"searches/{search.id}.yaml"
    return [
        Problem(
            name,
            file.line(("filters",) if problem.index is None else ("filters", problem.index)),
            "",
            str(problem),
            blocks_loading=False,
        )
        for problem in filter_problems(search.filters, field_catalog(settings.exportable_metadata))
    ]


def _unmet(
    export: SavedExport,
    settings: Settings | None,
    searches: Mapping[str, SavedSearch],
    broken_searches: set[str],
    file: YamlFile,
) -> list[Problem]:
    """The names an export uses that are not there."""
    name = f"exports/{export.id}.yaml"
    found = []
    if export.search not in searches:
        why = (
            f"search '{export.search}' does not load"
            if export.search in broken_searches
            else f"there is no search '{export.search}'.{did_you_mean(export.search, searches)}"
        )
        found.append(Problem(name, file.line(("search",)), "search", why, blocks_loading=False))
    if settings is not None and export.storage_location not in settings.storage_locations:
        valid = settings.storage_locations
        why = f"there is no storage location '{export.storage_location}' in settings.yaml."
        why += did_you_mean(export.storage_location, valid)
        found.append(Problem(name, file.line(("storage_location",)), "storage_location", why, blocks_loading=False))
    return found
