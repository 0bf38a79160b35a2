"""Columns of the state database.

Moments, and those of `runs` as the record declares its fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Date, DateTime, Dialect, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from bulk_export.state.run_fields import DeclaredField, declared_fields


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in, aware UTC out.

    SQLite has no zones, so it stores UTC; naive datetimes are refused.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware datetime into what the database stores."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("the state database takes aware datetimes only")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn what the database stored into an aware UTC datetime."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_TYPES: Mapping[type, TypeEngine[Any] | type[TypeEngine[Any]]] = {
    str: Text,
    int: BigInteger,
    datetime: UtcDateTime,
    date: Date,
    Mapping: JSON,
}


def run_columns(record: type) -> list[Column[Any]]:
    """Columns for the fields of a run's record.

    Those of its reservation are in `reservations`.
    """
    return [_column(field) for field in declared_fields(record) if not field.rules.reservation]


def _column(field: DeclaredField) -> Column[Any]:
    default = field.default
    return Column(
        field.name,
        _type(field),
        primary_key=field.name == "run_id",
        nullable=field.optional,
        # A text or number that is not known yet is empty or 0; the others are given or null.
        server_default=str(default) if isinstance(default, str | int) else None,
    )


def _type(field: DeclaredField) -> TypeEngine[Any] | type[TypeEngine[Any]]:
    if field.rules.max_length is not None:
        return String(field.rules.max_length)
    return Text if issubclass(field.type, StrEnum) else _TYPES[field.type]
