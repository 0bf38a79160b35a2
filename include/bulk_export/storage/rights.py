"""Rights in a storage, found out by using them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bulk_export.errors import RefusedError
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import Rights
from bulk_export.storage.reading import read

PROBE = ".bulk-export-write-check"
_CONTENT = b"bulk-export: may the exporter write here? This object means nothing and can be removed.\n"


@dataclass(frozen=True, slots=True)
class RightsReport:
    """Reasons why rights in a storage are missing, empty where held.

    Attributes:
        list: see what is stored there; required everywhere.
        put: write objects; required of a destination and of the staging area.
        get: read objects; required of the staging area and of a contact store.
        delete: remove objects; never required, but without it an interrupted run may leave something behind.
    """

    list: str
    put: str
    get: str
    delete: str


def check_rights(storage: Storage) -> RightsReport:
    """Use each right once, on an object of its own.

    It is deleted again where that is allowed.

    Raises:
        RefusedError: STORAGE_MISSING, there is no such bucket or directory.
        TransientError: it cannot be reached, so that nothing can be said about rights.
    """

    def listing() -> None:
        next(iter(storage.list(PROBE)), None)

    may_list = _why_not(listing)
    may_put = _why_not(lambda: storage.put(PROBE, _CONTENT))
    # Without the object the answers tell less: many services answer "denied" for what is absent.
    may_get = _why_not(lambda: read(storage, PROBE)) if not may_put else "not tried: nothing could be put there"
    may_delete = _why_not(lambda: storage.delete([PROBE]))
    return RightsReport(list=may_list, put=may_put, get=may_get, delete=may_delete)


def check_writable(storage: Storage, *, reading: bool = False) -> None:
    """Raise unless objects can be listed, put and (with `reading`) read.

    Raises:
        RefusedError: STORAGE_DENIED names every right that is missing, STORAGE_MISSING says there is no such place.
    """
    if isinstance(storage, Rights):
        storage.check_writable()
        return
    _refuse_missing(storage, check_rights(storage), ("list", "put", "get") if reading else ("list", "put"))


def _refuse_missing(storage: Storage, rights: RightsReport, required: Sequence[str]) -> None:
    missing = {name: getattr(rights, name) for name in required if getattr(rights, name)}
    if missing:
        reasons = "; ".join(dict.fromkeys(missing.values()))
        raise RefusedError(
            "STORAGE_DENIED",
            f"No right to {' and '.join(missing)} in {storage.uri}: {reasons}",
            hint=f"Give the exporter the right to {' and '.join(required)} there.",
        ) from None


def _why_not(act: Callable[[], object]) -> str:
    """Why an act is denied; empty when it is not."""
    try:
        act()
    except RefusedError as error:
        if error.code == "STORAGE_MISSING":
            raise
        return error.message
    except FileNotFoundError:
        # Another run's check removed it meanwhile. Whoever may not read gets "denied".
        return ""
    return ""
