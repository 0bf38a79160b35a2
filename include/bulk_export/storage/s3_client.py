"""A botocore client that reaches a bucket as the obstore store beside it does: same key, region and endpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from bulk_export.storage.retry import Patience

Provider = Callable[[], object]


def s3_client(config: Mapping[str, str], provider: Provider | None, patience: Patience) -> Any:
    """The client.

    Args:
        config: the store's options as obstore has resolved them, environment included.
        provider: gives the key where it changes or comes from a connection.
        patience: how long one try may take; tries are counted by the caller.
    """
    import botocore.session
    from botocore.config import Config

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
            connect_timeout=patience.connect_s,
            read_timeout=patience.timeout_s,
            max_pool_connections=32,
            # Every checksum is given explicitly: the one that is stored is the one that was computed here.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
        **key,
    )


@cache
def found_access_key() -> str:
    """The key id of this machine's own credentials, where the configuration names none; empty without any."""
    import botocore.session

    credentials = botocore.session.Session().get_credentials()
    return str(credentials.get_frozen_credentials().access_key) if credentials else ""


class _Resolver:
    """Where botocore looks for credentials: at the provider, and nowhere else."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def load_credentials(self) -> object:
        from botocore.credentials import Credentials, ReadOnlyCredentials

        provider = self._provider

        class Provided(Credentials):  # type: ignore[misc]
            def get_frozen_credentials(self) -> ReadOnlyCredentials:
                fresh: Any = provider()
                return ReadOnlyCredentials(fresh["access_key_id"], fresh["secret_access_key"], fresh.get("token"))

        return Provided("provided", "provided")
