"""Contact stores: catalogues of contacts and their objects behind one protocol.

`open_contact_store` asks the registry of kinds, `definitions/contact_stores.py`, and loads the implementation of the
kind it opens, no other.

- `base.py`: the protocol
- `schema.py`: columns and types of stores and of job tables
- `store_validation.py`: checks, and their words, that every store shares
- `parquet.py`: contacts in Parquet files, read with DuckDB
- `parquet_catalog.py`: its files, on a disk (`local_catalog.py`) or in a bucket (`bucket_files.py`)
- `catalog_files.py`, `catalog_faults.py`: what a file of it is, and failures of reading it
- `lake_tables.py`: folders of lake tables, which are refused
- `parquet_files.py`, `parquet_inspection.py`: the columns of the files, by their footers
- `column_names.py`, `hive_values.py`, `column_values.py`: mistaken names, and values of key=value directories
- `parquet_relation.py`: the relation that files form
- `parquet_damage.py`: the columns at fault when they cannot be read
- `duckdb_session.py`: a DuckDB for one call
- `postgres.py`: contacts in a table or view of PostgreSQL
- `postgres_session.py`, `postgres_table.py`: one transaction, the columns of the table
- `postgres_keys.py`: the query of what matches, and its keys
- `postgres_values.py`: columns that cannot be read
- `addresses.py`: where an object of a contact is, and whether it may be read
- `outside.py`: what may not be read, and what would admit it
- `access_denials.py`: refusals of one object, or of the whole store
- `standing_folders.py`: directories whose loss is an outage
- `unreadable_objects.py`: objects that cannot be read, or an outage
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from bulk_export.definitions.contact_stores import CONTACT_STORE_KINDS, ContactStoreSettings
from bulk_export.errors import DefinitionError

if TYPE_CHECKING:
    from bulk_export.contacts.base import ContactStore
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
    """Open the contact store that settings.yaml names; nothing is read yet.

    Args:
        settings: the `contact_store` of settings.yaml.
        base: folder of settings.yaml, from which a relative path is taken.
        scratch: local folder for what does not fit into memory.
        credentials: from the connection of the store, or of its objects, for buckets.
        database_url: SQLAlchemy address of a store in a database.
        retry_policy: for a bucket that does not answer.

    Raises:
        DefinitionError: CONNECTION_UNKNOWN for a store in a database without an address, STORE_DRIVER_MISSING where
            the Python package of its kind is not installed.
    """
    kind = CONTACT_STORE_KINDS[settings.type]
    connection = kind.database_connection_id(settings)
    if connection is not None and not database_url:
        raise DefinitionError(
            "CONNECTION_UNKNOWN",
            f"contact_store: nobody here knows the connection '{connection}'",
            hint="Run inside Airflow, or set its AIRFLOW_CONN_... environment variable.",
        )
    opened: ContactStore = _opener(kind.opener, settings.type)(
        settings,
        base=base,
        scratch=scratch,
        credentials=credentials,
        database_url=database_url,
        retry_policy=retry_policy,
    )
    return opened


def _opener(name: str, kind: str) -> Callable[..., ContactStore]:
    """What opens a store of this kind; extras of the package are named as the kinds that need them."""
    try:
        opener: Callable[..., ContactStore] = resolve_name(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("bulk_export"):
            raise
        raise DefinitionError(
            "STORE_DRIVER_MISSING",
            f"a contact store of type {kind} needs the Python package {error.name}",
            hint=f"Install bulk-contact-export[{kind}].",
        ) from error
    return opener
