"""Read the contact store's objects: errors become faults of contacts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bulk_export.contacts.access_denials import AccessDenials
from bulk_export.contacts.addresses import AddressError, Addresses, OutsideError
from bulk_export.contacts.standing_folders import NO_FOLDERS, StandingFolders
from bulk_export.contacts.unreadable_objects import UnreadableObjects
from bulk_export.errors import DefinitionError, RefusedError, UnreadableError
from bulk_export.jobs.item_fault import ItemFault
from bulk_export.reasons import Reason
from bulk_export.storage.base import Storage

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class StoredObjects:
    """The objects that contacts name, for one job's threads.

    | what happens | becomes |
    |---|---|
    | the address leads to what may not be read | fault ADDRESS_NOT_ALLOWED |
    | no object can have the address | fault |
    | no such object, or a key the storage does not take | fault, unless its directory is gone (`standing_folders.py`) |
    | access denied, or no such storage | fault, unless it is about the whole store (`access_denials.py`) |
    | it is there and cannot be read | fault, unless it is one of many (`unreadable_objects.py`) |
    | anything else | the same error: it ends the job |

    Attributes:
        addresses: what the store's addresses may lead to.
        missing: reason of every fault but these.
        unreadable: reason of what is there and cannot be read.
        standing: directories whose loss is an outage.
        shows_keys: whether details name the key.
    """

    addresses: Addresses
    missing: Reason
    unreadable: Reason
    standing: StandingFolders = NO_FOLDERS
    shows_keys: bool = False
    _denials: AccessDenials = field(default_factory=AccessDenials)
    _unreadable: UnreadableObjects = field(default_factory=UnreadableObjects)

    def locate(self, uri: str) -> tuple[Storage, str]:
        """Storage and key of an object; raises `ItemFault`."""
        try:
            return self.addresses.locate(uri)
        except OutsideError as error:
            raise ItemFault(Reason.ADDRESS_NOT_ALLOWED, f"address {error}") from error
        except AddressError as error:
            raise ItemFault(self.missing, f"address {error}") from error

    def read(self, storage: Storage, key: str, reading: Callable[[], Content]) -> Content:
        """What `reading` gets of the object; raises `ItemFault`."""
        try:
            content = reading()
        except FileNotFoundError as error:
            self.standing.check(storage, key)
            raise self._fault(self.missing, "no such object", key) from error
        except UnreadableError as error:
            raise self.cannot_read(error, key) from error
        except DefinitionError as error:  # the storage does not take such a key
            raise ItemFault(self.missing, error.message) from error
        except RefusedError as error:
            raise self._fault(self.missing, self._denials.record(error), key) from error
        self._denials.record_success()
        self._unreadable.record_success()
        return content

    def cannot_read(self, error: UnreadableError, key: str) -> ItemFault:
        """The fault of an object whose bytes cannot be had.

        Raises:
            TransientError: it is one of many.
        """
        return self._fault(self.unreadable, self._unreadable.record(error), key)

    def _fault(self, reason: Reason, detail: str, key: str) -> ItemFault:
        return ItemFault(reason, f"{detail}: {key}" if self.shows_keys else detail)
