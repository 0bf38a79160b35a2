"""Airflow connections as the product takes them: credentials for a bucket, an address for a database.

Imported by tasks only: reading a connection while DAG files are parsed would need a database.
"""

from __future__ import annotations

from typing import Any

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from bulk_export.errors import DefinitionError
from bulk_export.storage.credentials import Credentials

AWS, AZURE, GOOGLE, POSTGRES = "aws", "wasb", "google_cloud_platform", "postgres"
# What a connection's extras may say to PostgreSQL's own library; the provider's other extras mean nothing to it.
_LIBPQ = frozenset(
    {"sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "channel_binding", "target_session_attrs", "options"}
)


def credentials(connection_id: str) -> Credentials:
    """What a connection says about reaching a bucket.

    Raises:
        DefinitionError: CONNECTION_UNKNOWN, or CONNECTION_UNSUPPORTED for a type that reaches no bucket.
    """
    connection = _connection(connection_id)
    if connection.conn_type == AWS:
        return _aws(connection_id)
    if connection.conn_type == AZURE:
        return _azure(connection)
    if connection.conn_type == GOOGLE:
        return _google(connection)
    raise _unsupported(connection, (AWS, AZURE, GOOGLE))


def database_url(connection_id: str) -> str:
    """The SQLAlchemy address of a PostgreSQL database.

    Raises:
        DefinitionError: CONNECTION_UNKNOWN, or CONNECTION_UNSUPPORTED for anything but PostgreSQL.
    """
    from sqlalchemy import URL

    connection = _connection(connection_id)
    if connection.conn_type not in {POSTGRES, "postgresql"}:
        raise _unsupported(connection, (POSTGRES,))
    return URL.create(
        "postgresql+psycopg",
        username=connection.login,
        password=connection.password,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
        query={key: str(value) for key, value in connection.extra_dejson.items() if key in _LIBPQ},
    ).render_as_string(hide_password=False)


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


def _unsupported(connection: Connection, fitting: tuple[str, ...]) -> DefinitionError:
    return DefinitionError(
        "CONNECTION_UNSUPPORTED",
        f"the connection '{connection.conn_id}' is of type {connection.conn_type}, not {' or '.join(fitting)}",
        hint="Change the connection's type, or name another in settings.yaml.",
    )


def _aws(connection_id: str) -> Credentials:
    from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
    from obstore.auth.boto3 import Boto3CredentialProvider

    # The provider knows keys, profiles, assumed roles and the machine's own role, and renews what runs out.
    hook: Any = AwsGenericHook(aws_conn_id=connection_id, client_type="s3")
    config = hook.conn_config
    options = {"region": config.region_name, "endpoint": config.get_service_endpoint_url("s3")}
    provider = Boto3CredentialProvider(hook.get_session())
    return Credentials({key: value for key, value in options.items() if value}, provider)


def _azure(connection: Connection) -> Credentials:
    extra = connection.extra_dejson
    return _given(
        account_name=connection.login or extra.get("account_name"),
        account_key=connection.password or extra.get("account_key"),
        sas_token=extra.get("sas_token"),
        tenant_id=extra.get("tenant_id"),
        client_id=extra.get("client_id"),
        client_secret=extra.get("client_secret"),
        endpoint=connection.host if (connection.host or "").startswith("http") else None,
    )


def _google(connection: Connection) -> Credentials:
    import json

    extra = connection.extra_dejson
    key = extra.get("keyfile_dict")
    return _given(
        service_account_key=json.dumps(key) if isinstance(key, dict) else key,
        service_account=extra.get("key_path"),
    )


def _given(**options: str | None) -> Credentials:
    return Credentials({name: value for name, value in options.items() if value})
