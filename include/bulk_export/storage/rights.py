"""Find out which rights there are by using them on an object of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bulk_export.errors import RefusedError
from bulk_export.storage.base import Rights

if TYPE_CHECKING:
    from bulk_export.storage.base import Storage

PROBE = ".bulk-export-write-check"
_CONTENT = b"bulk-export: may the exporter write here? This object means nothing and can be removed.\n"


def try_rights(storage: Storage) -> Rights:
    """Use each right once.

    Raises:
        RefusedError: STORAGE_MISSING, there is no such bucket or directory.
        TransientError: it cannot be reached, so that nothing can be said about rights.
    """

    def listing() -> None:
        next(iter(storage.list(PROBE)), None)

    may_list = _why_not(listing)
    may_put = _why_not(lambda: storage.put(PROBE, _CONTENT))
    # Without the object the answers tell less: many services answer "denied" for what is absent.
    may_get = _why_not(lambda: storage.read(PROBE)) if not may_put else "not tried: nothing could be put there"
    may_delete = _why_not(lambda: storage.delete([PROBE]))
    return Rights(list=may_list, put=may_put, get=may_get, delete=may_delete)


def missing_rights(storage: Storage, rights: Rights, required: Sequence[str]) -> None:
    """Raise `RefusedError` STORAGE_DENIED, naming every required right that is missing."""
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
        # Another run's check removed it meanwhile. Whoever may not read is told "denied".
        return ""
    return ""
