"""Where contacts come from: a catalogue and its objects, behind one protocol (`base.py`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bulk_export.errors import DefinitionError
from bulk_export.storage import open_uri

if TYPE_CHECKING:
    from bulk_export.contacts.base import ContactStore
    from bulk_export.definitions.models import ContactStoreSettings
    from bulk_export.storage.buckets import Credentials
    from bulk_export.storage.patience import Patience

__all__ = ["open_contact_store"]


def open_contact_store(
    settings: ContactStoreSettings,
    *,
    base: Path,
    scratch: Path,
    credentials: Credentials | None = None,
    patience: Patience | None = None,
) -> ContactStore:
    """The contact store that settings.yaml names; nothing is read yet.

    Args:
        settings: the `contact_store` of settings.yaml.
        base: folder of settings.yaml, from which a relative path is taken.
        scratch: local folder for what does not fit into memory.
        credentials: what the store's connection says, for buckets.
        patience: with a bucket that does not answer.

    Raises:
        DefinitionError: STORE_UNSUPPORTED for a kind of store that cannot be read.
    """
    if settings.type == "postgres":
        raise DefinitionError(
            "STORE_UNSUPPORTED",
            f"contact_store: a PostgreSQL store (connection '{settings.connection}') cannot be read yet",
            hint="Use a Parquet store: contact_store: {type: parquet, uri: <directory>}.",
        )
    from bulk_export.contacts.parquet import ParquetContactStore

    root = open_uri(settings.uri, base=base, credentials=credentials, patience=patience)
    return ParquetContactStore(root, scratch=scratch)
