"""Read the contact store's objects: errors become faults of contacts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bulk_export.contacts.access_denials import AccessDenials
from bulk_export.contacts.addresses import AddressError, Resolve, locate
from bulk_export.errors import DefinitionError, RefusedError
from bulk_export.jobs.item_fault import ItemFault
from bulk_export.reasons import Reason
from bulk_export.storage.base import Storage

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class StoredObjects:
    """The objects that contacts name, for one job's threads.

    | what happens | becomes |
    |---|---|
    | the address leads nowhere or out of the store | fault |
    | no such object, or a key the storage does not take | fault |
    | access denied, or no such storage | fault, unless it is about the whole store (`access_denials.py`) |
    | anything else | the same error: it ends the job |

    Attributes:
        source: root of the contact store's objects.
        resolve: for addresses outside of it; without it those are faults.
        missing: reason of every fault.
        shows_keys: whether details name the key.
    """

    source: Storage
    resolve: Resolve | None
    missing: Reason
    shows_keys: bool = False
    _denials: AccessDenials = field(default_factory=AccessDenials)

    def locate(self, uri: str) -> tuple[Storage, str]:
        """Storage and key of an object; raises `ItemFault`."""
        try:
            return locate(uri, self.source, self.resolve)
        except AddressError as error:
            raise ItemFault(self.missing, f"address {error}") from error

    def read(self, key: str, reading: Callable[[], Content]) -> Content:
        """What `reading` gets of the object; raises `ItemFault`."""
        try:
            content = reading()
        except FileNotFoundError as error:
            raise self._fault("no such object", key) from error
        except DefinitionError as error:  # the storage does not take such a key
            raise ItemFault(self.missing, error.message) from error
        except RefusedError as error:
            raise self._fault(self._denials.record(error), key) from error
        self._denials.record_success()
        return content

    def _fault(self, detail: str, key: str) -> ItemFault:
        return ItemFault(self.missing, f"{detail}: {key}" if self.shows_keys else detail)
