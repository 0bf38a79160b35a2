"""`bulk-export schema`: the published schemas.

For editors, validators and whoever fills a contact store.
"""

from __future__ import annotations

import argparse
import json

from bulk_export.cli import DEFINITION_KINDS
from bulk_export.cli.exit_codes import DONE
from bulk_export.cli.output import print_json


def run(options: argparse.Namespace) -> int:
    """Print one schema to standard output."""
    if options.name == "definitions":
        from bulk_export.definitions.json_schema import definitions_schema

        print_json(json.dumps(definitions_schema(), indent=2))
    elif options.name in DEFINITION_KINDS:
        from bulk_export.definitions.json_schema import definition_schema

        print_json(json.dumps(definition_schema(options.name), indent=2))
    elif options.name == "store":
        print_json(json.dumps(store_schema(), indent=2))
    elif options.name == "store-sql":
        print(store_sql(), end="")
    else:
        from bulk_export.transcripts.schemas import JSON_SCHEMA, XSD, schema_text

        print(schema_text(JSON_SCHEMA if options.name == "transcript-json" else XSD), end="")
    return DONE


def store_schema() -> dict[str, object]:
    """The catalogue's columns: name, type, whether required, and valid values."""
    from bulk_export.contacts.schema import canonical_schema
    from bulk_export.fields import CSV_FIELDS, DERIVED_KEYS, REQUIRED_COLUMNS, STORE_FIELDS

    types = {column.name: str(column.type) for column in canonical_schema((), with_text=True)}
    columns = [
        {
            "name": field.key,
            "type": types[field.key],
            "required": field.key in REQUIRED_COLUMNS,
            **({"values": list(field.values)} if field.values else {}),
        }
        for field in (*CSV_FIELDS, *STORE_FIELDS)
        if field.key not in DERIVED_KEYS
    ]
    columns.append({"name": "metadata", "type": "map<string, string>", "required": False})
    return {"table": "contacts", "columns": columns}


def store_sql() -> str:
    """The recommended table, indexes and role of a contact store in PostgreSQL."""
    from importlib.resources import files

    return files("bulk_export.contacts").joinpath("postgres.sql").read_text(encoding="utf-8")
