"""Turn pydantic's errors into words for who wrote the definition.

Every message says the value, what would be right, and the nearest valid name.
"""

from __future__ import annotations

import re
import types
import typing

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bulk_export.definitions.kinds import KindSettings
from bulk_export.definitions.values import shown
from bulk_export.definitions.yaml_file import Place, YamlFile, dotted
from bulk_export.errors import Problem
from bulk_export.suggestions import did_you_mean

_QUOTED = re.compile(r"'([^']*)'")
_MOST_PROBLEMS = 100  # nobody reads more of one file, and for each the nearest names are looked for


def problems_of(error: ValidationError, model: type[BaseModel], file: YamlFile, name: str) -> list[Problem]:
    """One `Problem` per mistake, in the order of lines."""
    found = []
    details = error.errors(include_url=False)
    for detail in details[:_MOST_PROBLEMS]:
        place = _place_in_file(detail["loc"], file)
        found.append(Problem(name, file.line(place), dotted(place), _words(detail, model)))
    if (left_out := len(details) - _MOST_PROBLEMS) > 0:
        found.append(Problem(name, 0, "", f"has {left_out:,} more problems than those listed here"))
    return sorted(set(found))


def _place_in_file(loc: Place, file: YamlFile) -> Place:
    """Drop the union tags pydantic puts into a location; the last part stays, though it may be missing in the file."""
    place: Place = ()
    for index, part in enumerate(loc):
        if (*place, part) in file.lines or index == len(loc) - 1:
            place = (*place, part)
    return place


def _words(detail: ErrorDetails, model: type[BaseModel]) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        key = str(detail["loc"][-1])
        return f"unknown key '{key}'." + (did_you_mean(key, _keys_at(model, detail["loc"][:-1])) or " Remove it.")
    if kind == "literal_error":
        valid = _QUOTED.findall(str(context["expected"]))
        return f"{shown(value)} is not one of {', '.join(valid)}.{did_you_mean(value, valid)}"
    if kind == "union_tag_invalid":
        valid = _QUOTED.findall(str(context["expected_tags"]))
        return f"type {shown(context['tag'])} is not one of {', '.join(valid)}.{did_you_mean(context['tag'], valid)}"
    if kind == "union_tag_not_found":
        return "type is missing"
    if kind == "value_error":
        return str(context["error"])
    message = detail["msg"][0].lower() + detail["msg"][1:]
    return f"{shown(value)}: {message}"


def _keys_at(model: type[BaseModel], loc: Place) -> list[str]:
    """The keys a definition may have at a location: follows fields, mappings, lists and union tags."""
    candidates: list[object] = [model]
    for part in loc:
        following: list[object] = []
        for kind in candidates:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                # The tag first: a kind may have a key of its own name.
                if "type" in kind.model_fields and part in typing.get_args(kind.model_fields["type"].annotation):
                    following.append(kind)
                elif part in kind.model_fields:
                    following += _members(kind.model_fields[str(part)].annotation)
            else:  # a mapping or list: its values
                following += [member for arg in typing.get_args(kind)[-1:] for member in _members(arg)]
        candidates = following
    models = [kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return [key for kind in models for key in kind.model_fields]


def _members(annotation: object) -> list[object]:
    """The alternatives of an annotation, with `Annotated`, unions and `tuple[x, ...]` opened."""
    if isinstance(annotation, type) and issubclass(annotation, KindSettings):
        return [*annotation.alternatives()]
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _members(typing.get_args(annotation)[0])
    if origin in {typing.Union, types.UnionType}:
        return [member for arg in typing.get_args(annotation) for member in _members(arg)]
    if origin is tuple:
        return [list[typing.get_args(annotation)[0]]]  # type: ignore[misc]
    return [annotation]
