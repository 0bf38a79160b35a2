"""Storage locations: directories and buckets behind one protocol (`base.py`).

`open_storage` opens what a definition describes, `open_uri` what somebody typed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bulk_export.errors import DefinitionError
from bulk_export.storage.base import Storage
from bulk_export.storage.keys import is_bucket_name
from bulk_export.storage.local import LocalStorage

if TYPE_CHECKING:
    from bulk_export.definitions.settings import StorageLocation
    from bulk_export.storage.credentials import Credentials
    from bulk_export.storage.retry import RetryPolicy

__all__ = ["open_storage", "open_uri"]

_BUCKET_SCHEMES = {"s3": "s3", "s3a": "s3", "gs": "gcs", "az": "azure", "azure": "azure"}


def open_storage(
    location: StorageLocation,
    *,
    base: Path,
    credentials: Credentials | None = None,
    retry_policy: RetryPolicy | None = None,
) -> Storage:
    """The storage a definition describes; nothing is touched or contacted yet.

    Args:
        location: from settings.yaml.
        base: folder of settings.yaml, from which a relative local path is taken.
        credentials: what the location's connection says; None leaves it to the service's standard environment
            variables and the machine's own role.
        retry_policy: with a service that does not answer; None for the default.
    """
    if location.type == "local":
        return LocalStorage(_resolved(location.path, base))
    from bulk_export.storage.buckets import open_bucket

    return open_bucket(location, credentials, retry_policy)


def open_uri(
    uri: str, *, base: Path, credentials: Credentials | None = None, retry_policy: RetryPolicy | None = None
) -> Storage:
    """The storage at a path (relative to `base`), `file://…`, `s3://bucket/prefix`, `gs://…` or `az://container/prefix`.

    Raises `DefinitionError` URI_UNSUPPORTED for anything else.
    """
    scheme, separator, _ = uri.partition("://")
    if not separator:
        return LocalStorage(_resolved(uri, base))
    try:
        parts = urlsplit(uri)
    except ValueError as error:  # such as an unclosed bracket
        raise _unsupported(scheme, "") from error
    if scheme == "file" and parts.netloc in {"", "localhost"}:
        return LocalStorage(Path(unquote(parts.path)))
    if scheme in _BUCKET_SCHEMES and is_bucket_name(parts.netloc):
        from bulk_export.storage.buckets import location_of, open_bucket

        # Keys may hold '?' and '#': everything after the bucket is prefix.
        prefix = uri.partition("://")[2].partition("/")[2].strip("/")
        return open_bucket(location_of(_BUCKET_SCHEMES[scheme], parts.netloc, prefix), credentials, retry_policy)
    raise _unsupported(scheme, parts.hostname or "")


def _unsupported(scheme: str, host: str) -> DefinitionError:
    return DefinitionError(
        "URI_UNSUPPORTED",
        f"No storage can be opened at {scheme}://{host}",
        hint="Give a path, file:///path, s3://bucket/prefix, gs://bucket/prefix or az://container/prefix.",
    )


def _resolved(path: str, base: Path) -> Path:
    # Lexical, not realpath: what the administrator wrote is what messages show, links included.
    return Path(os.path.normpath(base / path))
