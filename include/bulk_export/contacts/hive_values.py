"""Values of key=value directories, as Hive, Spark and others write them.

| column | value |
|---|---|
| text | any, percent-decoded |
| whole number, decimal number | its digits; NaN and infinity are null |
| yes/no | `true`, `false`, `1`, `0`, in any case |
| date | `2026-11-01` |
| timestamp | `2026-11-01 15:00:00` or `2026-11-01`, UTC unless it has an offset |
| any | `__HIVE_DEFAULT_PARTITION__` is null, and so is nothing at all where no text is wanted |

A value that is none of its column's is refused: a directory that was left out would change contacts in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import Enum
from urllib.parse import unquote, unquote_to_bytes

from bulk_export.contacts.schema import ColumnType

_NULL = "__HIVE_DEFAULT_PARTITION__"
_INTEGER = re.compile(r"[+-]?\d{1,30}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_YES_NO: Mapping[str, str] = {"true": "true", "false": "false", "1": "true", "0": "false"}
_INT64 = 2**63


class Unknown(Enum):
    """What directories do not say in a way that can be used."""

    UNKNOWN = 0


UNKNOWN = Unknown.UNKNOWN


def folder_keys(name: str) -> dict[str, list[str]]:
    """The values of each key=value directory, as they are written."""
    found: dict[str, list[str]] = {}
    for part in name.split("/")[:-1]:
        key, equals, value = part.partition("=")
        if equals and key:
            found.setdefault(unquote(key), []).append(value)
    return found


def folder_value(written: str, kind: ColumnType) -> str | None:
    """The value as text that DuckDB casts; None for null.

    Raises:
        ValueError: it is no value of this type; the message completes "its directory ...".
    """
    if written == _NULL:
        return None
    try:
        value = unquote_to_bytes(written).decode()
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    if kind is ColumnType.TEXT:
        return value
    if not value:
        return None
    try:
        return _cast(value, kind)
    except (ValueError, OverflowError):
        raise ValueError(f"holds no {kind}") from None


def _cast(value: str, kind: ColumnType) -> str | None:
    match kind:
        case ColumnType.INTEGER if _INTEGER.fullmatch(value) and -_INT64 <= int(value) < _INT64:
            return str(int(value))
        case ColumnType.DECIMAL if _NUMBER.fullmatch(value):
            return repr(float(value)) if math.isfinite(float(value)) else None
        case ColumnType.YES_NO if value.lower() in _YES_NO:
            return _YES_NO[value.lower()]
        case ColumnType.DATE if _DAY.fullmatch(value):
            return date.fromisoformat(value).isoformat()
        case ColumnType.TIMESTAMP:
            moment = datetime.fromisoformat(value)
            zoned = moment.astimezone(UTC) if moment.tzinfo else moment
            return zoned.replace(tzinfo=None).isoformat(" ")
    raise ValueError


def as_folder_value(value: object) -> str | None:
    """A value of a file in the form of `folder_value`."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case float():
            return repr(value) if math.isfinite(value) else None
        case datetime():
            return (value.astimezone(UTC) if value.tzinfo else value).replace(tzinfo=None).isoformat(" ")
    return str(value)
