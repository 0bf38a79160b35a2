"""From a bucket's definition and its connection's credentials to an open `ObjectStorage`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from bulk_export.definitions.settings import AzureLocation, GcsLocation, S3Location
from bulk_export.errors import DefinitionError
from bulk_export.storage.credentials import Credentials
from bulk_export.storage.keys import is_bucket_name
from bulk_export.storage.objects import ObjectStorage
from bulk_export.storage.retry import RetryPolicy
from bulk_export.storage.s3 import S3Storage
from bulk_export.storage.s3_service import S3Service

if TYPE_CHECKING:
    from obstore.store import RetryConfig

BucketLocation = S3Location | AzureLocation | GcsLocation

# One loop tries again (`retry.py`). Only the writer of large objects, which S3 does not need, cannot be begun anew.
_NO_RETRY: RetryConfig = {"max_retries": 0, "retry_timeout": timedelta(seconds=1)}


def open_bucket(
    location: BucketLocation, credentials: Credentials | None, retry_policy: RetryPolicy | None = None
) -> ObjectStorage:
    """Open the bucket without contacting it; `DefinitionError` STORAGE_INVALID when the options do not fit."""
    if not is_bucket_name(_name(location)):  # the library would panic
        raise DefinitionError(
            "STORAGE_INVALID",
            f"{_name(location)!r} is no name of a {location.type} bucket or container",
            hint="Its name is of letters, digits, '.', '-' and '_'; a folder in it is its prefix.",
        )
    retry_policy = retry_policy or RetryPolicy()
    options: dict[str, str] = dict(credentials.options) if credentials else {}
    prefix = location.prefix.strip("/")
    common: dict[str, Any] = {"prefix": prefix or None, "retry_config": _retry(retry_policy)}
    common["client_options"] = _client(retry_policy)
    if credentials and credentials.provider:
        common["credential_provider"] = credentials.provider
    try:
        if isinstance(location, S3Location):
            options |= _s3_options(location)
            common["retry_config"] = _NO_RETRY
            if "access_key_id" in options:
                common.setdefault("credential_provider", _fixed_key(options))
            store: Any = S3Store(location.bucket, config=cast("Any", options), **common)
            uri = f"s3://{location.bucket}/{prefix}"
            provider = common.get("credential_provider")
            service = S3Service(location.bucket, prefix, store.config, provider, retry_policy, location.kms_key)
            return S3Storage(store, uri, service)
        if isinstance(location, AzureLocation):
            options |= {"account_name": location.account} if location.account else {}
            store = AzureStore(location.container, config=cast("Any", options), **common)
            uri = f"az://{location.container}/{prefix}"
        else:
            store = GCSStore(location.bucket, config=cast("Any", options), **common)
            uri = f"gs://{location.bucket}/{prefix}"
    except (BaseError, ValueError) as error:
        # The text may quote an option's value: only its kind is told.
        raise DefinitionError(
            "STORAGE_INVALID",
            f"The {location.type} storage location {_name(location)} cannot be opened: {type(error).__name__}",
            hint="Check the location in settings.yaml and the options of its connection.",
        ) from None
    # Azure with directories does not promise the order.
    return ObjectStorage(store, uri, retry_policy=retry_policy, ordered=isinstance(store, GCSStore))


def location_of(kind: str, bucket: str, prefix: str) -> BucketLocation:
    """The location a URI stands for."""
    if kind == "s3":
        return S3Location(type="s3", bucket=bucket, prefix=prefix)
    if kind == "azure":
        return AzureLocation(type="azure", container=bucket, prefix=prefix)
    return GcsLocation(type="gcs", bucket=bucket, prefix=prefix)


def _name(location: BucketLocation) -> str:
    return location.container if isinstance(location, AzureLocation) else location.bucket


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


def _retry(retry_policy: RetryPolicy) -> RetryConfig:
    return {"max_retries": 5, "retry_timeout": timedelta(seconds=retry_policy.window_s)}


def _client(retry_policy: RetryPolicy) -> dict[str, Any]:
    return {
        "timeout": timedelta(seconds=retry_policy.timeout_s),
        "connect_timeout": timedelta(seconds=retry_policy.connect_s),
        # An endpoint says its scheme itself, and without one it is https: http was written so on purpose.
        "allow_http": True,
    }
