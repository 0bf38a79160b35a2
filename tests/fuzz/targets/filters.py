"""Any filters: incomplete in words, or SQL that DuckDB runs."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import orjson
from pydantic import ValidationError

from bulk_export.contacts.schema import canonical_schema
from bulk_export.definitions.models import Filter
from bulk_export.errors import DefinitionError
from bulk_export.filters.compile import compile_filters
from bulk_export.filters.completeness import problems
from bulk_export.filters.field_catalog import field_catalog
from bulk_export.filters.preview import text_preview

_CATALOGUE = field_catalog(["account-key", 'it\'s "odd"'])
_AS_OF = datetime(2026, 11, 23, 8, tzinfo=UTC)
_BODY = "Thank you for calling. İstanbul straße ΣΊΣΥΦΟΣ 日本語 …"


def run(data: bytes) -> None:
    """A JSON list of filters, as YAML gives them."""
    try:
        given = orjson.loads(data)
        filters = [Filter.model_validate(item) for item in given]
    except (orjson.JSONDecodeError, ValidationError, TypeError):
        return
    found = problems(filters, _CATALOGUE)
    try:
        selection = compile_filters(filters, as_of=_AS_OF, zone="America/Bogota", catalog=_CATALOGUE)
    except DefinitionError as error:
        assert error.code == "FILTER_INCOMPLETE"
        assert found
        return
    assert not found
    rows = _store().execute(f"SELECT contact_id FROM contacts WHERE {selection.sql}", list(selection.parameters))
    assert {row[0] for row in rows.fetchall()} <= {1, 2}
    text_preview(_BODY, filters)


@cache
def _store():
    """A contact of which everything is known and one of which nothing is."""
    import duckdb
    import pyarrow as pa

    values = {pa.string(): _BODY, pa.int64(): 1, pa.float64(): 0.5, pa.bool_(): True, pa.date32(): _AS_OF.date()}
    schema = canonical_schema((), with_text=True)
    known = {field.name: values.get(field.type, _AS_OF) for field in schema} | {"time_zone": "Europe/Madrid"}
    schema = schema.append(pa.field("metadata", pa.map_(pa.string(), pa.string())))
    rows = [known | {"metadata": [("account-key", "A1")]}, dict.fromkeys(schema.names) | {"contact_id": 2}]
    table = pa.Table.from_pylist(rows, schema=schema)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'; SET threads = 1")
    columns = ", ".join(
        f'"{field.name}" AT TIME ZONE \'UTC\' AS "{field.name}"'
        if pa.types.is_timestamp(field.type)
        else f'"{field.name}"'
        for field in schema
    )
    connection.register("given", table)
    connection.execute(f"CREATE TABLE contacts AS SELECT {columns} FROM given")
    return connection
