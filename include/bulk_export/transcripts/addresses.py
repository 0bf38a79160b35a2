"""Where an object of the contact store lies: its address is a key of the store's root, or absolute.

What a store says is not to be trusted: a relative address can never lead out of the root.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from bulk_export.errors import DefinitionError
from bulk_export.storage.base import Storage

Resolve: TypeAlias = Callable[[str], tuple[Storage, str]]
_CONTROLS = re.compile(r"[\0-\x1f]")


class AddressError(Exception):
    """No object can have this address; the message completes "address ..."."""


def locate(uri: str, root: Storage, resolve: Resolve) -> tuple[Storage, str]:
    """The storage and key at an address.

    Args:
        uri: `transcripts/100001.json`, relative to `root`, or absolute with a scheme, `s3://bucket/key`.
        root: of the store's objects.
        resolve: opens absolute addresses; its `DefinitionError` means that there is no such storage.

    Raises:
        AddressError: no object can lie there.
    """
    if "://" not in uri:
        return root, _key(uri)
    try:
        return resolve(uri)
    except DefinitionError as error:
        raise AddressError(f"cannot be opened ({error.code})") from error


def _key(uri: str) -> str:
    if _CONTROLS.search(uri):
        raise AddressError("has control characters")
    if uri.startswith("/"):
        raise AddressError("is an absolute path, where one relative to the store is expected")
    parts: list[str] = []
    for part in uri.split("/"):
        if part == "..":
            if not parts:
                raise AddressError("leads out of the store")
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    if not parts or uri.endswith("/"):
        raise AddressError("names no object")
    return "/".join(parts)
