"""Declare the fields of a run's record.

The table, the counts and the audit's JSON follow from the declarations.

A further field is one line of `records.NewRun` (known when a run is opened) or `records.RunRecord` (found out later),
and a migration that adds its column.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from types import NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class RunField:
    """Rules of a field, beside its type and default.

    The field's type is `Annotated` with it.

    Attributes:
        counted: stages find it out (`runs.record_counts`).
        redefined: a run that selected nothing yet takes it anew when it is started again.
        reset: a run that is started again begins with its default.
        reservation: column of the run's reservation that holds it; empty where `runs` does.
        json_text: it is JSON as text, which programs are shown as an object.
        max_length: of its column; None for any.
    """

    counted: bool = False
    redefined: bool = False
    reset: bool = False
    reservation: str = ""
    json_text: bool = False
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class DeclaredField:
    """A field of the record as it is declared.

    Attributes:
        name: of the field and its column.
        type: `str`, `int`, `datetime`, `date`, `Mapping` or an enumeration of texts.
        optional: whether it may be None.
        default: MISSING where whoever opens a run must give it.
        rules: what is special about it.
    """

    name: str
    type: type
    optional: bool
    default: Any
    rules: RunField


def declared_fields(record: type) -> tuple[DeclaredField, ...]:
    """Every field of a record class, in order."""
    return _read(record)


@cache
def _read(record: Any) -> tuple[DeclaredField, ...]:
    hints = get_type_hints(record, include_extras=True)
    return tuple(_declared(each.name, hints[each.name], _default(each)) for each in fields(record))


def _default(field: Any) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _declared(name: str, hint: Any, default: Any) -> DeclaredField:
    rules = RunField()
    if get_origin(hint) is Annotated:
        hint, rules = get_args(hint)
    choices = [choice for choice in get_args(hint) if choice is not NoneType]
    optional = NoneType in get_args(hint)
    plain = choices[0] if optional else hint
    return DeclaredField(name, Mapping if get_origin(plain) is Mapping else plain, optional, default, rules)
