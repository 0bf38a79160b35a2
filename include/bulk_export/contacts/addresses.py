"""Addresses of the contact store's objects: relative to its root, or absolute.

| address | where |
|---|---|
| `media/1.wav` | below the root |
| `/srv/store/media/1.wav`, `file:///srv/store/media/1.wav`, of the store in `/srv/store` | the same |
| `s3://acme/store/media/1.wav`, of the store in `s3://acme/store` | the same |
| any other that begins with `/` or has a scheme | what `resolve` opens |

What a store says is not to be trusted: an address below the root never leads out of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import unquote

from bulk_export.errors import DefinitionError, TransientError
from bulk_export.storage.base import Storage
from bulk_export.storage.capabilities import local_path
from bulk_export.storage.faults import os_faults

Resolve: TypeAlias = Callable[[str], tuple[Storage, str]]
"""An absolute address as storage and key; `DefinitionError` where it can open none."""

_CONTROLS = re.compile(r"[\0-\x1f]")


class AddressError(Exception):
    """No object can have this address.

    The message completes "address ..." and repeats nothing of it.
    """


def locate(uri: str, root: Storage, resolve: Resolve | None = None) -> tuple[Storage, str]:
    """The storage and key at an address.

    Args:
        uri: as the store's catalogue has it.
        root: of the store's objects.
        resolve: opens what is stored elsewhere; None where nothing may.

    Raises:
        AddressError: no object can lie there.
    """
    # Only file: addresses are written with percents; elsewhere a percent is part of the name.
    address = unquote(uri) if uri.startswith("file://") else uri
    if _CONTROLS.search(address):
        raise AddressError("has control characters")
    if address.endswith("/"):
        raise AddressError("names no object")
    if not address.startswith("/") and "://" not in address:
        return root, _key(address)
    for own in _own_addresses(root):
        if address.startswith(f"{own}/"):
            return root, _key(address.removeprefix(f"{own}/"))
    if resolve is None:
        raise AddressError("lies outside of the store")
    try:
        return resolve(uri)
    except DefinitionError as error:  # of this contact's address, not of the store
        raise AddressError(f"cannot be opened ({error.code})") from error


def check_mounted(root: Storage) -> None:
    """Raise `TransientError` where the store's directory is not there.

    That must fail the task, not every contact.
    """
    path = local_path(root, "")
    if path is None:
        return
    with os_faults("find", str(path)):
        there = path.is_dir()
    if not there:
        raise TransientError(
            "STORAGE_UNREACHABLE",
            f"the contact store is not there: {root.uri}",
            hint="Mount or correct it, then retry.",
        )


def _own_addresses(root: Storage) -> list[str]:
    path = local_path(root, "")
    return [root.uri] if path is None else [str(path), f"file://{path}", f"file://localhost{path}"]


def _key(address: str) -> str:
    parts: list[str] = []
    for part in address.split("/"):
        if part == "..":
            if not parts:
                raise AddressError("leads out of the store")
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    if not parts:
        raise AddressError("names no object")
    return "/".join(parts)
