"""Make the trigger forms, and read their answers as run parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from airflow.sdk import Param
from pydantic import ValidationError

from bulk_export.definitions.loader import Definitions
from bulk_export.definitions.run import ImmediateExport, RunParameters
from bulk_export.definitions.values import Model
from bulk_export.errors import DefinitionError, Problem
from bulk_export.formats.choices import NO_FORMAT, form_choices
from bulk_export.suggestions import did_you_mean

Answers = TypeVar("Answers", bound=Model)


def run_params(definitions: Definitions) -> dict[str, Param]:
    """The form of a saved export.

    Everything is optional, nothing changes the definition.
    """
    return {
        "storage_location": Param(
            None,
            type=["null", "string"],
            enum=[None, *_locations(definitions)],
            values_display={"null": "The saved export's own", **_locations(definitions)},
            title="Storage location",
            description="Deliver this run somewhere else.",
        ),
        **_common_params(),
    }


def immediate_params(definitions: Definitions) -> dict[str, Param]:
    """The form of an immediate export."""
    searches = {search.id: search.name for search in definitions.searches.values()}
    return {
        "name": Param(
            type="string", minLength=1, maxLength=200, title="Export name", description="Names the directory delivered."
        ),
        "search": _required_choice(searches, "Saved search", "Which contacts: a saved set of filters."),
        "storage_location": _required_choice(
            _locations(definitions), "Storage location", "Where the directory is delivered."
        ),
        "audio_video": _format(
            "audio_video",
            "Audio/video format",
            "For contacts with a screen recording; audio and screen in one file.",
        ),
        "audio_only": _format("audio_only", "Audio only format", "For contacts with an audio recording alone."),
        "transcripts": _format("transcripts", "Transcripts", "None exports no transcripts."),
        **_common_params(),
    }


def _common_params() -> dict[str, Param]:
    return {
        "started_from": Param(
            None,
            type=["null", "string"],
            format="date",
            title="First day",
            description="With the last day, in place of the search's own start dates. In the environment's zone.",
        ),
        "started_until": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Last day",
            description="The whole of this day is included.",
        ),
        "limit": Param(
            None, type=["null", "integer"], minimum=1, title="Limit", description="Export at most so many contacts."
        ),
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Write and charge nothing; report what would be exported.",
        ),
        "retry_failed_of": Param(
            None,
            type=["null", "string"],
            title="Retry what failed in",
            description="Key of an earlier run: export only the contacts that it could not deliver.",
        ),
    }


def _locations(definitions: Definitions) -> dict[str, str]:
    """What the drop-down says, by name of the storage location."""
    locations = definitions.settings.storage_locations if definitions.settings else {}
    return {name: f"{name} ({location.type})" for name, location in locations.items()}


def _required_choice(names: Mapping[str, str], title: str, description: str) -> Param:
    # An empty list of values is no valid schema; then any text is taken here and refused by the run, in words.
    allowed: dict[str, Any] = {"enum": list(names), "values_display": dict(names)} if names else {}
    return Param(type="string", title=title, description=description, **allowed)


def _format(asked: str, title: str, description: str) -> Param:
    choices = form_choices(asked)
    return Param(
        NO_FORMAT, type="string", enum=list(choices), values_display=choices, title=title, description=description
    )


def read_run(answers: Mapping[str, object]) -> RunParameters:
    """The parameters of a run of a saved export.

    Raises `DefinitionError` PARAMETERS_INVALID, which names every wrong one.
    """
    return _read(RunParameters, answers)


def read_immediate(answers: Mapping[str, object]) -> tuple[ImmediateExport, RunParameters]:
    """An immediate export and its run parameters.

    Raises `DefinitionError` PARAMETERS_INVALID, which names every wrong one.
    """
    of_export = {key: value for key, value in answers.items() if key in ImmediateExport.model_fields}
    for key in ("audio_video", "audio_only"):
        if of_export.get(key) == NO_FORMAT:
            of_export[key] = None
    rest = {key: value for key, value in answers.items() if key not in of_export}
    return _read(ImmediateExport, of_export), _read(RunParameters, rest)


def _read(model: type[Answers], answers: Mapping[str, object]) -> Answers:
    try:
        return model.model_validate(answers)
    except ValidationError as error:
        raise DefinitionError(
            "PARAMETERS_INVALID",
            "the parameters of this run cannot be used",
            hint="Trigger the DAG again with the parameters named above put right.",
            problems=[
                Problem("run parameters", 0, ".".join(map(str, detail["loc"])), _words(detail["type"], detail, model))
                for detail in error.errors(include_url=False)
            ],
        ) from None


def _words(kind: str, detail: Mapping[str, Any], model: type[Model]) -> str:
    if kind == "extra_forbidden":
        key = detail["loc"][-1]
        return f"there is no parameter '{key}'." + did_you_mean(key, model.model_fields)
    return f"{detail['input']!r}: {detail['msg']}" if detail["loc"] else str(detail["msg"])
