"""Any name and any address: a safe directory name, and no object outside of the contact store."""

from __future__ import annotations

import re
import tempfile
from contextlib import suppress
from pathlib import Path

from bulk_export.contacts.addresses import AddressError, Addresses
from bulk_export.definitions.safe_names import safe_name
from bulk_export.errors import DefinitionError
from bulk_export.media.stored_extension import stored_extension
from bulk_export.storage import open_uri
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import local_path
from bulk_export.storage.local import LocalStorage

_SAFE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_EXTENSION = re.compile(r"[a-z0-9]{2,4}")
_ROOT = Path(tempfile.gettempdir()) / "store"
_ADDRESSES = Addresses(LocalStorage(_ROOT))


def run(data: bytes) -> None:
    """The bytes are UTF-8, as far as they go."""
    text = data.decode("utf-8", "replace")
    name = safe_name(text, "fallback")
    assert _SAFE.fullmatch(name), name
    assert ".." not in name
    assert _EXTENSION.fullmatch(stored_extension("", text))
    with suppress(DefinitionError):
        open_uri(text, base=_ROOT)
    try:
        _check(*_ADDRESSES.locate(text))
    except AddressError as error:
        assert str(error)


def _check(storage: Storage, key: str) -> None:
    try:
        path = local_path(storage, key)
    except DefinitionError:  # the storage does not take the key either
        return
    assert path is not None
    assert path.resolve().is_relative_to(_ROOT.resolve()), key
