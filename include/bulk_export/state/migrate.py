"""Migrate the state database to this release's schema."""

from __future__ import annotations

from pkgutil import resolve_name

from sqlalchemy import Connection, Engine, text

from bulk_export.errors import DefinitionError
from bulk_export.state.database import transaction
from bulk_export.state.schema_version import HEAD, VERSION_TABLE

# By name, because it imports Alembic, which a database that is up to date does not need.
_UPGRADE = "bulk_export.state.migrations:upgrade"
_MIGRATION_LOCK = 0x62756C6B  # any number that nobody else in the database uses


def migrate(engine: Engine) -> None:
    """Create the state database or bring it up to date.

    Any number of processes may call it at once.

    Raises:
        DefinitionError: STATE_TOO_NEW when a newer version of the product has migrated it already.
    """
    try:
        with transaction(engine, reading=True) as connection:
            version = _version(connection)
    except DefinitionError as error:
        if error.code != "STATE_NOT_MIGRATED":
            raise
        version = None
    if version == HEAD:
        return
    with transaction(engine) as connection:
        if connection.dialect.name == "postgresql":
            # SQLite's writer lock is held already; this is the same for PostgreSQL, until the commit.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        resolve_name(_UPGRADE)(connection)


def _version(connection: Connection) -> str | None:
    version: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return version
