"""Find the stored object a contact's uri means, and nothing else: no uri leads out of the contact store."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from urllib.parse import unquote

from bulk_export.errors import DefinitionError, TransientError
from bulk_export.media.faults import missing
from bulk_export.storage.base import Storage

Resolve = Callable[[str], tuple[Storage, str]]
"""An absolute uri as storage and key; `DefinitionError`, `LookupError` or `ValueError` for what it refuses."""


def locate(uri: str, source: Storage, resolve: Resolve | None = None) -> tuple[Storage, str]:
    """The storage and key of a uri.

    A relative uri lies below the root of `source`; so does an absolute one that begins with that root's address. Other
    absolute ones are for `resolve`. `MediaFaultError` MEDIA_MISSING for what leads out of the root or is for nobody.
    """
    if "\0" in uri:
        raise missing("the uri holds a NUL character")
    absolute = uri.startswith("/") or "://" in uri
    if not absolute:
        return source, _below_root(uri)
    below = _relative_to(uri, source)
    if below is not None:
        return source, _below_root(below)
    if resolve is None:
        raise missing("absolute uri outside of the contact store")
    try:
        return resolve(uri)
    except DefinitionError as error:  # of this contact's address, not of the store
        raise missing(f"uri refused: {error.message}") from error
    except (LookupError, ValueError) as error:
        raise missing(f"uri refused: {error}") from error


def check_mounted(source: Storage) -> None:
    """`TransientError` where the store is a directory that is not there: it must fail the task, not every contact."""
    root = source.path("")
    if root is not None and not root.is_dir():
        raise TransientError(
            "STORAGE_UNREACHABLE",
            f"the contact store is not there: {source.uri}",
            hint="Mount or correct it, then retry.",
        )


def _relative_to(uri: str, source: Storage) -> str | None:
    """The rest of an absolute uri that begins with the store's own address."""
    if uri.startswith("/"):
        root = source.path("")
        return uri.removeprefix(f"{root}/") if root is not None and uri.startswith(f"{root}/") else None
    if not uri.startswith(f"{source.uri}/"):
        return None
    rest = uri.removeprefix(f"{source.uri}/")
    return unquote(rest) if uri.startswith("file:") else rest


def _below_root(uri: str) -> str:
    key = posixpath.normpath(uri)
    if key in {".", ".."} or key.startswith(("../", "/")):
        raise missing("the uri leads out of the contact store")
    return key
