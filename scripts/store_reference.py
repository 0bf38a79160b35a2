"""Write the columns of the recommended PostgreSQL table into its file."""

from __future__ import annotations

import re
from pathlib import Path

from bulk_export.contacts.postgres_table import SQL_TYPES
from bulk_export.contacts.schema import REQUIRED, STORE_COLUMNS

PATH = Path(__file__).resolve().parents[1] / "include/bulk_export/contacts/postgres.sql"

_COLUMNS = re.compile(r"(?<=CREATE TABLE contacts \(\n).*?(?=\n\);)", re.DOTALL)
_COMMENT = re.compile(r"^ +(\w+) .*?(  -- .*)$", re.MULTILINE)


def with_columns(sql: str) -> str:
    """The file with its columns written anew; comments behind them stay."""
    comments = dict(_COMMENT.findall(_COLUMNS.findall(sql)[0]))
    width = max(map(len, STORE_COLUMNS))
    *others, last = STORE_COLUMNS
    lines = [f"    {name:<{width}} {_type(name)},{comments.get(name, '')}" for name in others]
    lines.append(f"    {last:<{width}} {_type(last)}{comments.get(last, '')}")
    return _COLUMNS.sub(lambda _: "\n".join(lines), sql)


def _type(name: str) -> str:
    constraint = " PRIMARY KEY" if name == "contact_id" else " NOT NULL" if name in REQUIRED else ""
    return SQL_TYPES[STORE_COLUMNS[name]] + constraint
