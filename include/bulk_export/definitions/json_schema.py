"""Describe definition files as JSON Schema, for editors and validators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bulk_export.definitions.models import SavedExport, SavedSearch
from bulk_export.definitions.settings import Settings
from bulk_export.definitions.values import Model

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MODELS: Mapping[str, type[Model]] = {"settings": Settings, "search": SavedSearch, "export": SavedExport}


def definition_schema(kind: str) -> dict[str, Any]:
    """The schema of one kind: `settings`, `search` or `export`."""
    return {"$schema": DIALECT, **_schema(MODELS[kind])}


def definitions_schema() -> dict[str, Any]:
    """The schemas of all kinds, by kind."""
    return {"$schema": DIALECT, "$defs": {kind: _schema(model) for kind, model in MODELS.items()}}


def _schema(model: type[Model]) -> dict[str, Any]:
    schema = model.model_json_schema()
    schema.get("properties", {}).pop("id", None)  # the file's stem, not a key in it
    schema["required"] = [key for key in schema.get("required", []) if key != "id"]
    return schema
