"""Airflow connections as credentials of buckets and addresses of databases.

Which fields are which option says the storage kind, `bulk_export/definitions/locations.py`. Used by tasks only: reading
a connection while DAG files are parsed would need a database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pkgutil import resolve_name

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from bulk_export.definitions.locations import STORAGE_KINDS, ConnectionField, ConnectionType
from bulk_export.errors import DefinitionError
from bulk_export.postgres_address import is_postgres, postgres_address
from bulk_export.storage.credentials import Credentials

POSTGRES = "postgres"
# Connections that a provider has to read. Resolved when one is used: importing it while DAG files are parsed is slow.
_PROVIDERS = {"aws": "bulk_export_airflow.aws_connection:aws_credentials"}


def credentials(connection_id: str) -> Credentials:
    """Credentials for a bucket from a connection.

    Raises:
        DefinitionError: CONNECTION_UNKNOWN, or CONNECTION_UNSUPPORTED for a type that reaches no bucket.
    """
    connection = _connection(connection_id)
    types = {kind.connection_type.name: kind.connection_type for kind in STORAGE_KINDS if kind.connection_type}
    if connection.conn_type not in types:
        raise _unsupported(connection, types)
    if connection.conn_type in _PROVIDERS:
        found: Credentials = resolve_name(_PROVIDERS[connection.conn_type])(connection_id)
        return found
    return _credentials(connection, types[connection.conn_type])


def database_url(connection_id: str) -> str:
    """SQLAlchemy address of a PostgreSQL database from a connection.

    Raises:
        DefinitionError: CONNECTION_UNKNOWN, or CONNECTION_UNSUPPORTED for anything but PostgreSQL.
    """
    connection = _connection(connection_id)
    if not is_postgres(connection.conn_type):
        raise _unsupported(connection, (POSTGRES,))
    return postgres_address(
        login=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
        extra=connection.extra_dejson,
    )


def _connection(connection_id: str) -> Connection:
    try:
        connection: Connection = Connection.get(connection_id)
    except AirflowNotFoundException:
        raise DefinitionError(
            "CONNECTION_UNKNOWN",
            f"there is no Airflow connection '{connection_id}'",
            hint="Add it under Admin > Connections, or name another in settings.yaml.",
        ) from None
    return connection


def _unsupported(connection: Connection, fitting: Iterable[str]) -> DefinitionError:
    return DefinitionError(
        "CONNECTION_UNSUPPORTED",
        f"the connection '{connection.conn_id}' is of type {connection.conn_type}, not {' or '.join(fitting)}",
        hint="Change the connection's type, or name another in settings.yaml.",
    )


def _credentials(connection: Connection, described: ConnectionType) -> Credentials:
    options = {}
    for option, fields in described.options.items():
        if value := next(filter(None, (_value(connection, field) for field in fields)), ""):
            options[option] = value
    return Credentials(options)


def _value(connection: Connection, field: ConnectionField) -> str:
    """What a field holds; empty where it holds nothing that is meant."""
    in_extra = field.name.startswith("extra.")
    extra = connection.extra_dejson
    found = extra.get(field.name.removeprefix("extra.")) if in_extra else getattr(connection, field.name)
    text = json.dumps(found) if isinstance(found, dict) else str(found or "")
    return text if text.startswith(field.prefix) else ""
