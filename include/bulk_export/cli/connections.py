"""Read Airflow connections from the environment, as Airflow does."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bulk_export.errors import DefinitionError
from bulk_export.postgres_address import is_postgres, postgres_address

_EXTRA = "__extra__"  # where Airflow puts extras that are no plain words


@dataclass(frozen=True, slots=True)
class _Connection:
    """What a variable says; texts may be empty."""

    type: str
    login: str
    password: str
    host: str
    port: int | None
    database: str
    extra: Mapping[str, object]


def database_url(connection: str) -> str:
    """The SQLAlchemy address of a database from `AIRFLOW_CONN_<NAME>`.

    Its value may have every form that Airflow takes: an address, whatever driver it names, or JSON.

    Raises:
        DefinitionError: CONNECTION_UNKNOWN where the variable is not set, CONNECTION_UNSUPPORTED where it is and says
            nothing that leads to PostgreSQL.
    """
    variable = f"AIRFLOW_CONN_{connection.upper()}"
    value = os.environ.get(variable, "").strip()
    if not value:
        raise DefinitionError(
            "CONNECTION_UNKNOWN",
            f"the connection '{connection}' is not known here: {variable} is not set",
            hint=f"Set {variable} to postgresql://user:password@host:port/database, or run inside Airflow.",
        )
    try:
        found = _from_json(value) if value.startswith("{") else _from_uri(value)
    except (ValueError, TypeError, AttributeError):  # no cause is chained: its text may hold the password
        raise _unsupported(connection, variable, "but can be read neither as an address nor as JSON") from None
    if not is_postgres(found.type):
        words = f"to a connection of type {found.type[:40]!r}" if found.type else "to a connection without a type"
        raise _unsupported(connection, variable, f"{words}, not postgres")
    return postgres_address(
        login=found.login,
        password=found.password,
        host=found.host,
        port=found.port,
        database=found.database,
        extra=found.extra,
    )


def _unsupported(connection: str, variable: str, words: str) -> DefinitionError:
    return DefinitionError(
        "CONNECTION_UNSUPPORTED",
        f"the connection '{connection}' cannot be used: {variable} is set, {words}",
        hint="Write it as postgresql://user:password@host:port/database, each of : / ? # [ ] @ % in the password "
        "percent-encoded (@ as %40), or as Airflow's JSON.",
    )


def _from_json(value: str) -> _Connection:
    given: dict[str, Any] = json.loads(value)
    if given.get("uri"):
        return _from_uri(given["uri"])
    extra = given.get("extra") or {}
    texts = {key: str(given.get(key) or "") for key in ("conn_type", "login", "password", "host", "schema")}
    return _Connection(
        type=texts["conn_type"],
        login=texts["login"],
        password=texts["password"],
        host=texts["host"],
        port=int(given["port"]) if given.get("port") else None,
        database=texts["schema"],
        extra=_mapping(extra),
    )


def _from_uri(value: str) -> _Connection:
    parts = urlsplit(value)
    if not parts.scheme or "://" not in value or parts.fragment:
        raise ValueError("no address, or one cut short by a # in its password")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return _Connection(
        type=parts.scheme,
        login=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        host=_host(parts),
        port=parts.port,
        database=unquote(parts.path.removeprefix("/")),
        extra=_mapping(query[_EXTRA]) if _EXTRA in query else query,
    )


def _host(parts: SplitResult) -> str:
    host = unquote(parts.hostname or "")
    # A socket's directory, whose name keeps its capitals.
    return unquote(parts.netloc.rpartition("@")[2].partition(":")[0]) if "/" in host else host


def _mapping(extra: object) -> Mapping[str, object]:
    found = json.loads(extra) if isinstance(extra, str) else extra
    if not isinstance(found, dict):
        raise TypeError("extras are no mapping")
    return found
