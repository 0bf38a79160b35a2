"""The columns of a sample store and their Arrow types."""

from __future__ import annotations

import pyarrow as pa

from bulk_export.fields import CSV_FIELDS, DERIVED_KEYS, REQUIRED_COLUMNS, STORE_FIELDS, Kind

_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.WORDS: pa.string(),
    Kind.ENUM: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.DURATION: pa.int64(),
    Kind.RATIO: pa.float64(),
    Kind.DECIMAL: pa.float64(),
    Kind.YES_NO: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}


def sample_schema() -> pa.Schema:
    """Every column of the store format.

    The required ones first, metadata last.
    """
    fields = {field.key: field for field in (*CSV_FIELDS, *STORE_FIELDS) if field.key not in DERIVED_KEYS}
    keys = [*REQUIRED_COLUMNS, *(key for key in fields if key not in REQUIRED_COLUMNS)]
    columns = [pa.field(key, _TYPES[fields[key].kind], nullable=key not in REQUIRED_COLUMNS) for key in keys]
    return pa.schema([*columns, pa.field("metadata", pa.map_(pa.string(), pa.string()))])
