"""The installation that stages work on.

It is passed in, so that nothing inside the package is ambient.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bulk_export.contacts import open_contact_store
from bulk_export.contacts.addresses import Addresses
from bulk_export.definitions.contact_stores import CONTACT_STORE_KINDS, ContactStoreSettings
from bulk_export.definitions.loader import Definitions, load_definitions
from bulk_export.definitions.locations import STORAGE_KINDS, StorageLocation
from bulk_export.definitions.run import RunSnapshot
from bulk_export.definitions.settings import Settings
from bulk_export.errors import DefinitionError
from bulk_export.staging.private_folder import private_folder
from bulk_export.staging.run_staging import RunStaging
from bulk_export.state.database import open_state
from bulk_export.state.migrate import migrate
from bulk_export.state.runs import get_run
from bulk_export.storage import open_storage, open_uri
from bulk_export.storage.base import Storage
from bulk_export.storage.faults import scratch_faults
from bulk_export.storage.local import LocalStorage
from bulk_export.storage.retry import RetryPolicy

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bulk_export.contacts.base import ContactStore
    from bulk_export.media.job import MediaLimits
    from bulk_export.state.records import RunRecord
    from bulk_export.storage.credentials import Credentials

Report = Callable[[str, int, int], None]


def _silent(stage: str, done: int, total: int) -> None:
    """Nobody is watching."""


@dataclass(frozen=True)
class Site:
    """One installation: where its definitions lie and how the outside is reached.

    Attributes:
        definitions: the definitions folder.
        clock: the current time, aware.
        credentials: resolves the name of a connection; None where the services' own environment variables serve.
        database_url: the SQLAlchemy URL of a connection, that of the state or of the contacts.
        workers: processes that convert media, and threads that copy it.
        media_limits: what conversion may cost; None for the defaults.
        retry_policy: with buckets that do not answer; None for the default.
        waits_for_state: whether a state database that is away for a moment is waited for, as long as for buckets.
        report: called with `(stage, contacts done, contacts in all)` as a stage goes on.
    """

    definitions: Path
    clock: Callable[[], datetime]
    credentials: Callable[[str], Credentials] | None = None
    database_url: Callable[[str], str] | None = None
    workers: int = 2
    media_limits: MediaLimits | None = None
    retry_policy: RetryPolicy | None = None
    waits_for_state: bool = True
    report: Report = _silent

    def load(self, only_export: str | None = None) -> Definitions:
        """The definitions at this moment."""
        return load_definitions(self.definitions, only_export)

    @cached_property
    def settings(self) -> Settings:
        """The administrator's settings; `DefinitionError` when they do not load."""
        return load_definitions(self.definitions, only_export="").require_settings()

    @cached_property
    def engine(self) -> Engine:
        """The state database, created or upgraded where needed."""
        patience = (self.retry_policy or RetryPolicy()) if self.waits_for_state else None
        engine = open_state(self._state_url, base=self.definitions, patience=patience)
        migrate(engine)
        return engine

    @property
    def _state_url(self) -> str:
        state = self.settings.state
        return str(state.url) if state.connection is None else self._database_url(state.connection)

    def _database_url(self, connection: str) -> str:
        if self.database_url is None:
            raise DefinitionError(
                "CONNECTION_UNKNOWN",
                f"a database is the Airflow connection '{connection}', which only Airflow can resolve",
                hint="Run inside Airflow, or give state.url in settings.yaml.",
            )
        return self.database_url(connection)

    def reread(self, run_id: str) -> RunRecord:
        """A run's record at this moment."""
        return get_run(self.engine, run_id)

    def staging(self, run_key: str) -> RunStaging:
        """The staging area of a run."""
        storage = self.open_location(self.settings.staging)
        return RunStaging(storage.for_scratch() if isinstance(storage, LocalStorage) else storage, run_key)

    def scratch(self, run_key: str) -> Path:
        """Directory on this machine for unfinished files of a run.

        In the staging area where that is local.
        """
        storage = self.staging(run_key).storage
        if not isinstance(storage, LocalStorage):
            return private_folder(Path(tempfile.gettempdir()), run_key)
        local = storage.path(f"{run_key}/scratch")
        with scratch_faults(local):
            storage.make_folder(str(local))
        return local

    def destination(self, snapshot: RunSnapshot) -> Storage:
        """The storage location a run delivers to."""
        return self.open_location(snapshot.storage_location)

    def open_location(self, location: StorageLocation) -> Storage:
        """A place that settings.yaml describes, reached with the credentials of its connection."""
        known = self._credentials(STORAGE_KINDS[location.type].connection_id(location))
        return open_storage(location, base=self.definitions, credentials=known, retry_policy=self.retry_policy)

    def _credentials(self, connection: str | None) -> Credentials | None:
        return None if connection is None or self.credentials is None else self.credentials(connection)

    def addresses(self, settings: ContactStoreSettings, root: Storage) -> Addresses:
        """What a contact store's addresses may lead to.

        Every place is reached as the store's objects are.
        """
        known = self._credentials(_objects_connection_id(settings))
        return Addresses(
            root,
            tuple(
                open_uri(place, base=self.definitions, credentials=known, retry_policy=self.retry_policy)
                for place in settings.allowed
            ),
        )

    def contact_store(self, snapshot: RunSnapshot, scratch: Path) -> ContactStore:
        """The contact store a run selects from."""
        return self.open_contact_store(snapshot.contact_store, scratch)

    def open_contact_store(self, settings: ContactStoreSettings, scratch: Path) -> ContactStore:
        """The contact store that settings.yaml describes, reached through its connections."""
        database = CONTACT_STORE_KINDS[settings.type].database_connection_id(settings)
        return open_contact_store(
            settings,
            base=self.definitions,
            scratch=scratch,
            credentials=self._credentials(_objects_connection_id(settings)),
            database_url=self._database_url(database) if database else "",
            retry_policy=self.retry_policy,
        )


def _objects_connection_id(store: ContactStoreSettings) -> str | None:
    """The connection of the bucket that holds a contact store's objects."""
    return CONTACT_STORE_KINDS[store.type].objects_connection_id(store)
