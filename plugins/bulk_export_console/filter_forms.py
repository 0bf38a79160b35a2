"""What the filter builder sends, and what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bulk_export.definitions.models import Filter, SavedSearch
from bulk_export.fields import CSV_FIELDS
from bulk_export.filters.field_catalog import METADATA_PREFIX, FilterField
from bulk_export.filters.operators import operators_for

Short = Annotated[str, StringConstraints(max_length=300)]
# What JSON can hold; a filter's own completeness check says what is wrong with it.
Value = str | int | float | bool | list[str | int | float | bool | None] | None

_NAMES = {
    "started_at": "Start time",
    "updated_at": "Changed at",
    "recycled": "Recycled",
    "has_audio": "Has audio",
    "has_screen": "Has screen video",
    "has_transcript": "Has transcript",
    "text": "Words in the transcript or body",
}


class FilterForm(BaseModel):
    """One row of the builder; anything may still be missing."""

    model_config = ConfigDict(extra="forbid")

    field: Short | None = None
    operator: Short | None = None
    value: Value = None
    time_zone: Short | None = None

    def as_definition(self) -> dict[str, Any]:
        """The row as the file has it, without what is not given."""
        given = self.model_dump(exclude_none=True)
        return {key: value for key, value in given.items() if value not in ("", [])}


class SearchForm(BaseModel):
    """A search as filled in."""

    model_config = ConfigDict(extra="forbid")

    name: Short = ""
    description: Annotated[str, StringConstraints(max_length=2_000)] = ""
    filters: Annotated[list[FilterForm], Field(max_length=1_000)] = []

    def changes(self) -> dict[str, object]:
        """The keys of the file as they shall be."""
        filters = [item.as_definition() for item in self.filters]
        return {"name": self.name, "description": self.description.strip() or None, "filters": filters}

    def as_search(self) -> SavedSearch:
        """The same as a definition, to be counted.

        Not saved, so it has neither a name nor an id of its own.
        """
        filters = tuple(Filter(**item.as_definition()) for item in self.filters)
        return SavedSearch(id="unsaved", name="unsaved", filters=filters)


class SearchEdit(BaseModel):
    """A form and the file version it was filled in from."""

    model_config = ConfigDict(extra="forbid")

    form: SearchForm
    seen: Short


def builder(fields: Mapping[str, FilterField]) -> list[dict[str, object]]:
    """What the builder offers.

    Every field with its type, its values, its operators and their operands' shape.
    """
    headers = {field.key: field.header for field in CSV_FIELDS}
    return [
        {
            "key": field.key,
            "name": _NAMES.get(field.key) or headers.get(field.key) or field.key.removeprefix(METADATA_PREFIX),
            "translated": field.key in _NAMES,
            "kind": field.kind.name,
            "values": list(field.values),
            "operators": [[operator.name, operator.shape.name] for operator in operators_for(field.kind)],
        }
        for field in fields.values()
    ]
