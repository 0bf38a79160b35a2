"""Where contacts come from: a catalogue and its objects, behind one protocol (`base.py`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bulk_export.errors import DefinitionError
from bulk_export.storage import open_uri

if TYPE_CHECKING:
    from bulk_export.contacts.base import ContactStore
    from bulk_export.definitions.settings import ContactStoreSettings
    from bulk_export.storage.credentials import Credentials
    from bulk_export.storage.retry import RetryPolicy

__all__ = ["open_contact_store"]


def open_contact_store(
    settings: ContactStoreSettings,
    *,
    base: Path,
    scratch: Path,
    credentials: Credentials | None = None,
    database_url: str = "",
    retry_policy: RetryPolicy | None = None,
) -> ContactStore:
    """The contact store that settings.yaml names; nothing is read yet.

    Args:
        settings: the `contact_store` of settings.yaml.
        base: folder of settings.yaml, from which a relative path is taken.
        scratch: local folder for what does not fit into memory.
        credentials: what the connection of the store, or of its objects, says, for buckets.
        database_url: SQLAlchemy address of a store in PostgreSQL.
        retry_policy: with a bucket that does not answer.

    Raises:
        DefinitionError: CONNECTION_UNKNOWN for a store in PostgreSQL without an address.
    """
    if settings.type == "postgres":
        if not database_url:
            raise DefinitionError(
                "CONNECTION_UNKNOWN",
                f"contact_store: nobody here knows the connection '{settings.connection}'",
                hint="Run inside Airflow, or set its AIRFLOW_CONN_... environment variable.",
            )
        from bulk_export.contacts.postgres import PostgresContactStore
        from bulk_export.contacts.postgres_session import Database

        objects = open_uri(settings.objects, base=base, credentials=credentials, retry_policy=retry_policy)
        database = Database(database_url, settings.table, settings.statement_timeout_s)
        return PostgresContactStore(database, objects, scratch=scratch)
    from bulk_export.contacts.parquet import ParquetContactStore

    root = open_uri(settings.uri, base=base, credentials=credentials, retry_policy=retry_policy)
    return ParquetContactStore(root, scratch=scratch)
