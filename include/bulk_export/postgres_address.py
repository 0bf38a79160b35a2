"""Make addresses of PostgreSQL databases out of what an Airflow connection says."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import URL

_TYPES = {"postgres", "postgresql"}
# What a connection's extras may say to PostgreSQL's own library; the provider's other extras mean nothing to it.
_LIBPQ = frozenset(
    [
        "channel_binding",
        "connect_timeout",
        "gssencmode",
        "host",
        "hostaddr",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "krbsrvname",
        "load_balance_hosts",
        "options",
        "passfile",
        "require_auth",
        "requirepeer",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslcert",
        "sslcertmode",
        "sslcrl",
        "sslcrldir",
        "sslkey",
        "sslmode",
        "sslnegotiation",
        "sslpassword",
        "sslrootcert",
        "sslsni",
        "target_session_attrs",
        "tcp_user_timeout",
    ]
)


def is_postgres(connection_type: str | None) -> bool:
    """Whether a connection's type, a driver's name included, is PostgreSQL's."""
    return (connection_type or "").partition("+")[0] in _TYPES


def postgres_address(
    *,
    login: str | None,
    password: str | None,
    host: str | None,
    port: int | None,
    database: str | None,
    extra: Mapping[str, object],
) -> str:
    """The SQLAlchemy address, with the password.

    Args:
        login: user; None or empty for the library's default, as the others.
        password: as it is, not encoded.
        host: name, address, or directory of a socket.
        port: of the server.
        database: its name.
        extra: what else the connection says; what is no parameter of libpq is left out.
    """
    given = {key: _written(value) for key, value in extra.items() if key in _LIBPQ and value is not None}
    if host and host.startswith("/"):  # which an address would take for the database's name
        given, host = given | {"host": host}, None
    return URL.create(
        "postgresql+psycopg",
        username=login or None,
        password=password or None,
        host=host or None,
        port=port,
        database=database or None,
        query=given,
    ).render_as_string(hide_password=False)


def _written(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
