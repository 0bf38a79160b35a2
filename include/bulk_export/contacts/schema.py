"""Columns and types of contact stores and of job tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

import pyarrow as pa

from bulk_export.fields import CSV_FIELDS, DERIVED_KEYS, REQUIRED_COLUMNS, STORE_FIELDS, Kind


class ColumnType(StrEnum):
    """The type of a store column, in words for messages."""

    TEXT = "text"
    INTEGER = "whole number (int64)"
    DECIMAL = "decimal number (float64)"
    YES_NO = "yes/no (bool)"
    DATE = "date"
    TIMESTAMP = "timestamp"
    MAP = "map of text to text"


METADATA = "metadata"
URI_COLUMNS = ("audio_uri", "screen_uri", "transcript_uri")

_BY_KIND: Mapping[Kind, ColumnType] = MappingProxyType(
    {
        Kind.TEXT: ColumnType.TEXT,
        Kind.WORDS: ColumnType.TEXT,
        Kind.ENUM: ColumnType.TEXT,
        Kind.INTEGER: ColumnType.INTEGER,
        Kind.DURATION: ColumnType.INTEGER,
        Kind.RATIO: ColumnType.DECIMAL,
        Kind.DECIMAL: ColumnType.DECIMAL,
        Kind.YES_NO: ColumnType.YES_NO,
        Kind.DATE: ColumnType.DATE,
        Kind.TIMESTAMP: ColumnType.TIMESTAMP,
    }
)

# Every column a store may have, in the order of the CSV and then of STORE_FIELDS, with metadata last.
STORE_COLUMNS: Mapping[str, ColumnType] = MappingProxyType(
    {
        **{field.key: _BY_KIND[field.kind] for field in CSV_FIELDS if field.key not in DERIVED_KEYS},
        **{field.key: _BY_KIND[field.kind] for field in STORE_FIELDS},
        METADATA: ColumnType.MAP,
    }
)

# Without these two there is no order and no identity: a null in them is refused too.
NEVER_NULL = ("contact_id", "started_at")
REQUIRED = frozenset(REQUIRED_COLUMNS)


def canonical_schema(metadata_keys: Sequence[str], with_text: bool) -> pa.Schema:
    """The schema of a job table.

    Args:
        metadata_keys: exportable metadata keys, in the administrator's order; one text column `metadata.<key>` each.
        with_text: whether the searchable body is a column.
    """
    types = {
        ColumnType.TEXT: pa.string(),
        ColumnType.INTEGER: pa.int64(),
        ColumnType.DECIMAL: pa.float64(),
        ColumnType.YES_NO: pa.bool_(),
        ColumnType.DATE: pa.date32(),
        ColumnType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    }
    columns = [(key, types[kind]) for key, kind in STORE_COLUMNS.items() if key in job_columns(with_text=with_text)]
    return pa.schema([*columns, *((f"{METADATA}.{key}", pa.string()) for key in metadata_keys)])


def job_columns(*, with_text: bool) -> tuple[str, ...]:
    """The store columns of a job table, in order.

    Metadata comes after them, key by key.
    """
    return tuple(key for key in STORE_COLUMNS if key != METADATA and (with_text or key != "text"))


def uris_schema() -> pa.Schema:
    """The schema of addresses: `contact_id` and `URI_COLUMNS`."""
    return pa.schema([("contact_id", pa.int64()), *((column, pa.string()) for column in URI_COLUMNS)])


def keys_schema() -> pa.Schema:
    """The schema of the selected keys: `contact_id`, `started_at`, `updated_at`, `media_bytes`."""
    moment = pa.timestamp("us", tz="UTC")
    return pa.schema(
        [("contact_id", pa.int64()), ("started_at", moment), ("updated_at", moment), ("media_bytes", pa.int64())]
    )
