"""Turn failures of reading a contact store into the store's own errors."""

from __future__ import annotations

from bulk_export.errors import BulkExportError, RefusedError, TransientError, error_of
from bulk_export.storage.faults import Cause, cause_of, words_of

_CODES = {Cause.DENIED: "STORE_DENIED", Cause.EXHAUSTED: "MACHINE_EXHAUSTED"}


class store_faults:  # noqa: N801 - a context manager, named as the functions of its kind
    """Turn failures of reading the store into the store's own errors."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def __enter__(self) -> None:
        """Nothing to open."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise what the failure means."""
        if isinstance(error, OSError):
            code = _CODES.get(cause_of(error), "STORE_UNREACHABLE")
            place = f" at {error.filename}" if error.filename else ""
            raise error_of(code, f"contact store {self._uri} cannot be read{place}: {words_of(error)}") from error
        if isinstance(error, RefusedError | TransientError):
            raise store_fault(self._uri, error) from None


def store_fault(uri: str, error: BulkExportError) -> BulkExportError:
    """A storage's error as one of the contact store.

    One that is not about storage stays what it is.
    """
    if not error.code.startswith("STORAGE_"):
        return error
    words = f"contact store {uri} cannot be read: {error.message}"
    if isinstance(error, RefusedError):
        return RefusedError("STORE_DENIED", words, hint="Give the exporter the rights to list and get there.")
    return TransientError("STORE_UNREACHABLE", words, hint=error.hint)
