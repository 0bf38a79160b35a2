"""Check the columns of a contact table; make its relation.

Columns may be of any type that holds the same values (smallint for bigint, varchar or an enum for text, timestamps
with or without zone). Names are exact; what no field uses is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bulk_export.contacts.column_names import mistaken_names
from bulk_export.contacts.schema import METADATA, NEVER_NULL, REQUIRED, STORE_COLUMNS, ColumnType
from bulk_export.errors import Problem

if TYPE_CHECKING:
    from bulk_export.contacts.postgres_session import Session

_FITTING: Mapping[ColumnType, frozenset[str]] = {
    ColumnType.TEXT: frozenset({"text", "varchar", "bpchar", "name", "citext"}),
    ColumnType.INTEGER: frozenset({"int2", "int4", "int8"}),
    ColumnType.DECIMAL: frozenset({"float8", "float4", "int2", "int4", "int8"}),
    ColumnType.YES_NO: frozenset({"bool"}),
    ColumnType.DATE: frozenset({"date"}),
    ColumnType.TIMESTAMP: frozenset({"timestamptz", "timestamp"}),
    ColumnType.MAP: frozenset({"json", "jsonb"}),
}
SQL_TYPES: Mapping[ColumnType, str] = {
    ColumnType.TEXT: "text",
    ColumnType.INTEGER: "bigint",
    ColumnType.DECIMAL: "double precision",
    ColumnType.YES_NO: "boolean",
    ColumnType.DATE: "date",
    ColumnType.TIMESTAMP: "timestamptz",
    ColumnType.MAP: "jsonb",
}
_ENUMERATION = "e"
# Domains count as what they are made of. A column whose collation calls different texts equal is read by its bytes.
_DESCRIBE = """
WITH RECURSIVE held (attnum, oid, typtype, typname, typbasetype) AS (
    SELECT a.attnum, t.oid, t.typtype, t.typname, t.typbasetype
    FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = ?::regclass AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT held.attnum, t.oid, t.typtype, t.typname, t.typbasetype
    FROM held JOIN pg_type AS t ON t.oid = held.typbasetype WHERE held.typtype = 'd'
)
SELECT a.attname::text, held.typname::text, held.typtype::text, a.attnotnull,
    coalesce(NOT c.collisdeterministic, false),
    EXISTS (
        SELECT FROM pg_index AS i
        WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
            AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
    )
FROM held
JOIN pg_attribute AS a ON a.attrelid = ?::regclass AND a.attnum = held.attnum
LEFT JOIN pg_collation AS c ON c.oid = a.attcollation
WHERE held.typtype <> 'd' ORDER BY a.attnum
"""


def _literal(text: str) -> str:
    """A text as SQL has it; a statement keeps question marks for its operands."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''").replace("?", r"\x3f") + "'"


_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
# What a `json` column may hold and no text of PostgreSQL can, U+0000 and half pairs of UTF-16, becomes U+FFFD: one such
# contact would stop every query on the column. Escaped backslashes are spelled out first, so that each that is left
# begins an escape.
_SPELLED = "replace({name}::text, " + _literal(r"\\") + ", " + _literal(r"\u005c") + ")"
_NO_TEXT = _literal(rf"\\u0000|{_HIGH}(?!{_LOW})|(?<!{_HIGH}){_LOW}").replace("{", "{{").replace("}", "}}")
_JSON = (
    "CASE WHEN strpos({name}::text, " + _literal(r"\u") + ") = 0 THEN {name}"
    " ELSE regexp_replace(" + _SPELLED + ", " + _NO_TEXT + ", " + _literal(r"\\ufffd") + ", 'g')::json END"
)


@dataclass(frozen=True, slots=True)
class ContactTable:
    """A table or view as the catalogue of the database describes it.

    Attributes:
        name: as the settings give it, for messages.
        columns: SQL that reads each known column that is present and of a fitting type.
        ignored: columns no field uses.
        nullable: columns of `NEVER_NULL` that nothing keeps from being null.
        unique_ids: whether an index keeps contact ids unique.
        problems: what is wrong with it.
    """

    name: str
    columns: Mapping[str, str]
    ignored: tuple[str, ...]
    nullable: tuple[str, ...]
    unique_ids: bool
    problems: tuple[Problem, ...]

    @property
    def quoted(self) -> str:
        """The name as SQL takes it."""
        return quoted(self.name)

    def relation(self, columns: Sequence[str]) -> str:
        """A query of these columns, absent ones null.

        PostgreSQL merges it into the query around it.
        """
        absent = {column: f"CAST(NULL AS {SQL_TYPES[STORE_COLUMNS[column]]})" for column in columns}
        selected = ", ".join(f"{(absent | dict(self.columns))[column]} AS {column}" for column in columns)
        return f"SELECT {selected} FROM {self.quoted}"


def quoted(name: str) -> str:
    """`name` or `schema.name` as SQL takes it.

    The settings allow no quotation mark in it.
    """
    return ".".join(f'"{part}"' for part in name.split("."))


def describe(session: Session, name: str) -> ContactTable:
    """Look the columns up; the table itself is not read.

    Raises:
        psycopg.errors.UndefinedTable: there is none of this name.
    """
    columns: dict[str, str] = {}
    ignored: list[str] = []
    nullable: list[str] = []
    problems: list[Problem] = []
    unique_ids = False
    for column, type_name, type_kind, not_null, by_bytes, unique in session.rows(_DESCRIBE, [quoted(name)] * 2):
        if column not in STORE_COLUMNS:
            ignored.append(column)
            continue
        wanted = STORE_COLUMNS[column]
        if type_name in _FITTING[wanted] or (type_kind == _ENUMERATION and wanted is ColumnType.TEXT):
            columns[column] = _expression(column, wanted, type_name, by_bytes=by_bytes)
        else:
            also = " (json or jsonb)" if column == METADATA else ""
            problems.append(Problem(name, 0, column, f"is {type_name}, not {wanted}{also}"))
        if column in NEVER_NULL and not not_null:
            nullable.append(column)
        unique_ids = unique_ids or (column == "contact_id" and unique)
    problems += [Problem(name, 0, column, why) for column, why in mistaken_names([*columns, *ignored])]
    known = {*columns, *(problem.where for problem in problems)}
    problems += [
        Problem(name, 0, column, "is required and missing") for column in STORE_COLUMNS if column in REQUIRED - known
    ]
    return ContactTable(name, columns, tuple(ignored), tuple(nullable), unique_ids, tuple(problems))


def _expression(column: str, wanted: ColumnType, held: str, *, by_bytes: bool) -> str:
    name = f'"{column}"'
    match wanted:
        case ColumnType.TEXT:
            return f"{name}::text" + (' COLLATE "C"' if by_bytes else "")
        case ColumnType.DECIMAL if held in {"float4", "float8"}:
            # Through its shortest decimal form: a real of 0.3 is 0.3, not 0.30000001192092896. NaN is no value, and
            # PostgreSQL orders it above every number.
            value = f"{name}::text::double precision" if held == "float4" else name
            return f"CASE WHEN {name} > '-Infinity' AND {name} < 'Infinity' THEN {value} END"
        case ColumnType.DECIMAL:
            return f"{name}::double precision"
        case ColumnType.DATE:
            # Days that no calendar of a consumer holds, infinity among them, are no value either.
            return f"CASE WHEN {name} BETWEEN '0001-01-01' AND '9999-12-31' THEN {name} END"
        case ColumnType.MAP if held == "json":
            return _JSON.format(name=name)
    # Timestamps and whole numbers stay as they are, so that an index on the column can be used.
    return name
