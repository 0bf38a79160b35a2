"""Client of S3, through botocore.

It reaches a bucket as the obstore store beside it does: same key, region and endpoint.

Every error leaves here in the terms of `faults.py` or as one of `s3_answers.py`; nothing of a request or its signature
is repeated. Importing botocore takes a third of a second, so `s3_service.py` names this module and resolves it at the
first request that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from bulk_export.storage.faults import storage_error
from bulk_export.storage.retry import RetryPolicy
from bulk_export.storage.s3_answers import NotOfferedError, PreconditionError, UploadGoneError

Provider = Callable[[], object]

_CAUSE_LENGTH = 300
_GONE = frozenset({"NoSuchKey", "NotFound", "404"})
_CODES: dict[str, str] = {
    "NoSuchBucket": "STORAGE_MISSING",
    "ExpiredToken": "STORAGE_EXPIRED",
    "TokenRefreshRequired": "STORAGE_EXPIRED",
    "RequestTimeTooSkewed": "STORAGE_CLOCK",
    "QuotaExceeded": "STORAGE_FULL",
    "XMinioStorageFull": "STORAGE_FULL",
}
_UNAUTHORIZED, _FORBIDDEN, _PRECONDITION_FAILED, _INSUFFICIENT_STORAGE = 401, 403, 412, 507
_STATUSES: dict[int, str] = {
    _UNAUTHORIZED: "STORAGE_DENIED",
    _FORBIDDEN: "STORAGE_DENIED",
    _INSUFFICIENT_STORAGE: "STORAGE_FULL",
}
_NOT_OFFERED = frozenset({"NotImplemented", "MethodNotAllowed", "InvalidObjectState", "InvalidRequest"})


class S3Client:
    """A client of one service; safe to use from several threads.

    Args:
        config: the store's options as obstore has resolved them, environment included.
        provider: gives the key where it changes or comes from a connection.
        retry_policy: how long one try may take; tries are counted by the caller.
    """

    def __init__(self, config: Mapping[str, str], provider: Provider | None, retry_policy: RetryPolicy) -> None:
        self._client = _client(config, provider, retry_policy)

    def request(self, operation: str, doing: str, where: str, **arguments: Any) -> Any:
        """One request, tried once; `doing` and `where` are for messages.

        Raises:
            FileNotFoundError: there is no such object.
            PreconditionError, NotOfferedError, UploadGoneError: as they say.
        """
        with _s3_faults(doing, where):
            return getattr(self._client, operation)(**arguments)

    def pages(self, operation: str, doing: str, where: str, **arguments: Any) -> Iterator[Any]:
        """Pages of an operation that lists."""
        with _s3_faults(doing, where):
            yield from self._client.get_paginator(operation).paginate(**arguments)


def _client(config: Mapping[str, str], provider: Provider | None, retry_policy: RetryPolicy) -> Any:
    session = botocore.session.Session()
    key: dict[str, str | None] = {}
    if provider is not None:
        session.register_component("credential_provider", _Resolver(provider))
    elif "access_key_id" in config:
        key = {
            "aws_access_key_id": config["access_key_id"],
            "aws_secret_access_key": config.get("secret_access_key"),
            "aws_session_token": config.get("session_token", config.get("token")),
        }
    virtual = config.get("virtual_hosted_style_request", "false").lower() == "true"
    return session.create_client(
        "s3",
        region_name=config.get("region") or "us-east-1",
        endpoint_url=config.get("endpoint"),
        config=Config(
            s3={"addressing_style": "virtual" if virtual or "endpoint" not in config else "path"},
            retries={"total_max_attempts": 1},
            connect_timeout=retry_policy.connect_s,
            read_timeout=retry_policy.timeout_s,
            max_pool_connections=32,
            # Every checksum is given explicitly: the one that is stored is the one that was computed here.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
        **key,
    )


@cache
def found_access_key() -> str:
    """Key id of this machine's own credentials; empty when there are none."""
    credentials = botocore.session.Session().get_credentials()
    return str(credentials.get_frozen_credentials().access_key) if credentials else ""


class _Resolver:
    """Where botocore looks for credentials: at the provider, and nowhere else."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def load_credentials(self) -> object:
        return _Provided(self._provider)


class _Provided(Credentials):  # type: ignore[misc]
    """Credentials that are asked for anew by every request."""

    def __init__(self, provider: Provider) -> None:
        super().__init__("provided", "provided")
        self._provider = provider

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        fresh: Any = self._provider()
        return ReadOnlyCredentials(fresh["access_key_id"], fresh["secret_access_key"], fresh.get("token"))


@contextmanager
def _s3_faults(doing: str, where: str) -> Iterator[None]:
    """Turn every error of botocore inside into the product's, or into one of `s3_answers.py`."""
    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        code, status = str(answer.get("Code", "")), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _GONE:
            raise FileNotFoundError(f"no such object: {where}") from None
        if code == "NoSuchUpload":
            raise UploadGoneError(where) from None
        if status == _PRECONDITION_FAILED:
            raise PreconditionError(where) from None
        if code in _NOT_OFFERED:
            raise NotOfferedError(where) from None
        kind = _CODES.get(code) or _STATUSES.get(status, "STORAGE_UNREACHABLE")
        cause = ": ".join(part for part in (code, str(answer.get("Message", ""))) if part)
        raise storage_error(kind, doing, where, cause[:_CAUSE_LENGTH]) from None
    except NoCredentialsError:
        raise storage_error("STORAGE_DENIED", doing, where, "there are no credentials") from None
    except (BotoCoreError, OSError) as error:
        raise storage_error("STORAGE_UNREACHABLE", doing, where, type(error).__name__) from None
