"""Text that must be one of several names, whichever are registered."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticKnownError, core_schema


@dataclass(frozen=True, slots=True)
class OneOf:
    """Annotation of a `str`: like `Literal`, of names that may change.

    A name that is registered later is valid from then on, and in every schema written from then on.

    Attributes:
        names: gives those that are valid now.
    """

    names: Callable[[], Collection[str]]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validates; the error is that of a `Literal`."""
        return core_schema.no_info_plain_validator_function(self._valid)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema of a `Literal` of the names there are now."""
        return {"enum": list(self.names()), "type": "string"}

    def _valid(self, value: object) -> object:
        names = list(self.names())
        if isinstance(value, str) and value in names:
            return value
        *first, last = (f"'{name}'" for name in names)
        expected = f"{', '.join(first)} or {last}" if first else last
        raise PydanticKnownError("literal_error", {"expected": expected})
