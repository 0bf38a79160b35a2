"""Open the storages of buckets, from settings and credentials.

No bucket is contacted yet.

One opener a kind, named in `definitions/locations.py`. What they raise is `DefinitionError` STORAGE_INVALID, when the
options do not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from bulk_export.definitions.locations import AzureLocation, GcsLocation, S3Location, StorageLocation
from bulk_export.errors import DefinitionError
from bulk_export.storage.credentials import Credentials
from bulk_export.storage.keys import is_bucket_name
from bulk_export.storage.objects import ObjectStorage
from bulk_export.storage.retry import RetryPolicy
from bulk_export.storage.s3 import S3Storage
from bulk_export.storage.s3_service import S3Service

if TYPE_CHECKING:
    from obstore.store import RetryConfig

# One loop tries again (`retry.py`). Only the writer of large objects, which S3 does not need, cannot be begun anew.
_NO_RETRY: RetryConfig = {"max_retries": 0, "retry_timeout": timedelta(seconds=1)}


def open_s3(
    location: S3Location, *, base: Path, credentials: Credentials | None, retry_policy: RetryPolicy | None
) -> S3Storage:
    """Open a bucket of Amazon S3 or of a compatible service."""
    retry_policy = retry_policy or RetryPolicy()
    options, provider = _given(credentials)
    options |= _s3_options(location)
    if provider is None and "access_key_id" in options:
        provider = _fixed_key(options)
    prefix = location.prefix.strip("/")
    with _refused_options(location, location.bucket):
        store = S3Store(
            location.bucket,
            config=cast("Any", options),
            retry_config=_NO_RETRY,
            **_common(prefix, provider, retry_policy),
        )
    service = S3Service(
        location.bucket, prefix, cast("dict[str, str]", store.config), provider, retry_policy, location.kms_key
    )
    return S3Storage(store, f"s3://{location.bucket}/{prefix}", service)


def open_azure(
    location: AzureLocation, *, base: Path, credentials: Credentials | None, retry_policy: RetryPolicy | None
) -> ObjectStorage:
    """Open a container of Azure Blob.

    With directories it does not promise the order of a listing.
    """
    retry_policy = retry_policy or RetryPolicy()
    options, provider = _given(credentials)
    options |= {"account_name": location.account} if location.account else {}
    prefix = location.prefix.strip("/")
    with _refused_options(location, location.container):
        store = AzureStore(
            location.container,
            config=cast("Any", options),
            retry_config=_retry(retry_policy),
            **_common(prefix, provider, retry_policy),
        )
    return ObjectStorage(store, f"az://{location.container}/{prefix}", retry_policy=retry_policy)


def open_gcs(
    location: GcsLocation, *, base: Path, credentials: Credentials | None, retry_policy: RetryPolicy | None
) -> ObjectStorage:
    """Open a bucket of Google Cloud Storage, which lists in key order."""
    retry_policy = retry_policy or RetryPolicy()
    options, provider = _given(credentials)
    prefix = location.prefix.strip("/")
    with _refused_options(location, location.bucket):
        store = GCSStore(
            location.bucket,
            config=cast("Any", options),
            retry_config=_retry(retry_policy),
            **_common(prefix, provider, retry_policy),
        )
    return ObjectStorage(store, f"gs://{location.bucket}/{prefix}", retry_policy=retry_policy, ordered=True)


@contextmanager
def _refused_options(location: StorageLocation, name: str) -> Iterator[None]:
    """Refuse a name the library would panic at, and options that do not fit."""
    if not is_bucket_name(name):
        raise DefinitionError(
            "STORAGE_INVALID",
            f"{name!r} is no name of a {location.type} bucket or container",
            hint="Its name is of letters, digits, '.', '-' and '_'; a folder in it is its prefix.",
        )
    try:
        yield
    except (BaseError, ValueError) as error:
        # The text may quote an option's value: only its kind is repeated.
        raise DefinitionError(
            "STORAGE_INVALID",
            f"The {location.type} storage location {name} cannot be opened: {type(error).__name__}",
            hint="Check the location in settings.yaml and the options of its connection.",
        ) from None


def _given(credentials: Credentials | None) -> tuple[dict[str, str], Callable[[], object] | None]:
    return (dict(credentials.options), credentials.provider) if credentials else ({}, None)


def _s3_options(location: S3Location) -> dict[str, str]:
    # The checksum travels with every PUT: the service refuses what arrives differently, so nothing is read back.
    options = {"checksum_algorithm": "SHA256"}
    if location.region:
        options["region"] = location.region
    if location.endpoint:
        options["endpoint"] = location.endpoint
    if location.kms_key:
        options |= {"server_side_encryption": "aws:kms", "sse_kms_key_id": location.kms_key}
    return options


def _fixed_key(options: dict[str, str]) -> Callable[[], object]:
    """A provider that always gives the connection's own key.

    Given as plain options the key would be sent with the session token of the environment, where one is set, and
    refused.
    """
    key = {
        "access_key_id": options.pop("access_key_id"),
        "secret_access_key": options.pop("secret_access_key", ""),
        "token": options.pop("session_token", None),
        "expires_at": None,
    }
    return lambda: key


def _common(prefix: str, provider: Callable[[], object] | None, retry_policy: RetryPolicy) -> dict[str, Any]:
    """Arguments of every service's store."""
    given: dict[str, Any] = {"credential_provider": provider} if provider else {}
    client = {
        "timeout": timedelta(seconds=retry_policy.timeout_s),
        "connect_timeout": timedelta(seconds=retry_policy.connect_s),
        # An endpoint says its scheme itself, and without one it is https: http was written so on purpose.
        "allow_http": True,
    }
    return given | {"prefix": prefix or None, "client_options": client}


def _retry(retry_policy: RetryPolicy) -> RetryConfig:
    return {"max_retries": 5, "retry_timeout": timedelta(seconds=retry_policy.window_s)}
