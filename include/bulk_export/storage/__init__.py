"""Storage locations: directories and buckets behind one protocol (`base.py`).

`open_storage` opens what a definition describes, `open_uri` what somebody typed. Both ask the registry of kinds,
`definitions/locations.py`, and load the implementation of the kind they open, no other.

| module | has |
|---|---|
| `base`, `capabilities` | the protocol of five verbs, and what only some storages can do |
| `reading` | ways to read that are made of the verbs |
| `keys`, `content_types` | valid keys, MIME types by extension |
| `sources` | what is put: memory, a file or a stream |
| `faults` | what a failure means |
| `rights` | which rights there are, found out by using them |
| `written_once` | what a taken key means for an object that is written once |
| `server_copy` | copies inside one service |
| `local`, `object_file`, `disk` | directories, their objects when read, and making their files durable |
| `buckets`, `credentials` | opening a bucket, and the credentials for it |
| `retry` | tries of a request, and pauses between them |
| `objects`, `object_reads`, `read_requests`, `object_stream` | buckets of any service, through obstore |
| `object_faults` | what its errors mean |
| `s3`, `s3_client`, `s3_service`, `s3_uploads`, `s3_copies`, `s3_answers` | S3, where obstore does not suffice |
| `s3_exact_reads` | S3 objects whose keys are no paths |
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from bulk_export.definitions.locations import STORAGE_KINDS, Address, LocalLocation, StorageKind, StorageLocation
from bulk_export.errors import DefinitionError
from bulk_export.storage.capabilities import local_path
from bulk_export.storage.keys import is_bucket_name

if TYPE_CHECKING:
    from bulk_export.storage.base import Storage
    from bulk_export.storage.credentials import Credentials
    from bulk_export.storage.retry import RetryPolicy

__all__ = ["folder_path", "local_folders", "open_storage", "open_uri", "scheme_of"]


def open_storage(
    location: StorageLocation,
    *,
    base: Path,
    credentials: Credentials | None = None,
    retry_policy: RetryPolicy | None = None,
) -> Storage:
    """Open what a definition describes; nothing is touched or contacted yet.

    Args:
        location: from settings.yaml.
        base: folder of settings.yaml, from which a relative local path is taken.
        credentials: from the location's connection; None leaves it to the service's standard environment variables
            and the machine's own role.
        retry_policy: for a service that does not answer; None for the default.
    """
    opener = resolve_name(STORAGE_KINDS[location.type].opener)
    opened: Storage = opener(location, base=base, credentials=credentials, retry_policy=retry_policy)
    return opened


def open_uri(
    uri: str, *, base: Path, credentials: Credentials | None = None, retry_policy: RetryPolicy | None = None
) -> Storage:
    """Open a path, relative to `base`, or an address such as `s3://bucket/prefix`.

    Every storage kind says which addresses are its own. Raises `DefinitionError` URI_UNSUPPORTED for any other.
    """
    location = _location_at(uri)
    if location is None:
        raise _unsupported(uri)
    return open_storage(location, base=base, credentials=credentials, retry_policy=retry_policy)


def folder_path(uri: str) -> str | None:
    """The path of an address, None for one that is no path.

    Only `file:` addresses are written with percents; elsewhere a percent is part of the name.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or uri.startswith("/"):
        return uri
    found = _kind_of(scheme)
    if found is None or found[1].authority:
        return None
    authority, slash, path = rest.partition("/")
    return unquote(slash + path) if slash and authority in {"", "localhost"} else None


def local_folders(places: Iterable[str], base: Path) -> list[Path]:
    """Those of the places that are directories of this machine."""
    storages = (open_uri(place, base=base) for place in places if folder_path(place) is not None)
    return [path for storage in storages if (path := local_path(storage, "")) is not None]


def scheme_of(scheme: str) -> str:
    """The scheme of a storage's own addresses, by any of its schemes."""
    found = _kind_of(scheme)
    return found[1].schemes[0] if found else scheme


def _kind_of(scheme: str) -> tuple[StorageKind, Address] | None:
    for kind in STORAGE_KINDS:
        if kind.address and scheme in kind.address.schemes:
            return kind, kind.address
    return None


def _location_at(uri: str) -> StorageLocation | None:
    # Not validated: an address may be longer than what a person writes into settings.yaml.
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return LocalLocation.model_construct(type="local", path=uri)
    found = _kind_of(scheme)
    if found is None:
        return None
    kind, address = found
    # Keys may hold '?' and '#': everything after the authority is path.
    authority, slash, path = rest.partition("/")
    if address.authority:
        # A slash more than the one between is part of a prefix, and no prefix begins or ends with one.
        if not is_bucket_name(authority) or path.startswith("/") or path.endswith("//"):
            return None
        values: dict[str, Any] = {address.authority: authority, address.path: path.strip("/")}
    else:
        if authority not in {"", "localhost"}:
            return None
        values = {address.path: unquote(slash + path) or "."}
    return kind.settings.model_construct(type=kind.name, **values)


def _unsupported(uri: str) -> DefinitionError:
    try:
        parts = urlsplit(uri)
        where = f"{parts.scheme}://{parts.hostname or ''}"  # without a user and a password
    except ValueError:  # such as an unclosed bracket
        where = f"{uri.partition('://')[0]}://"
    forms = [
        f"{kind.address.schemes[0]}://{kind.address.authority}/{kind.address.path}"
        for kind in STORAGE_KINDS
        if kind.address
    ]
    return DefinitionError(
        "URI_UNSUPPORTED",
        f"No storage can be opened at {where}",
        hint=f"Give a path, {', '.join(forms[:-1])} or {forms[-1]}.",
    )
