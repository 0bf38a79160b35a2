"""Credentials of a bucket, as a connection gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """Options of a bucket, from a connection; never shown.

    Their names are obstore's.

    Attributes:
        options: such as `access_key_id`, `secret_access_key`, `region`, `endpoint` (S3), `account_name`,
            `account_key` (Azure), `service_account_key` (Google).
        provider: called for a fresh key when the last one runs out (assumed roles); obstore's credential provider.
    """

    options: Mapping[str, str] = field(default_factory=dict, repr=False)
    provider: Callable[[], object] | None = field(default=None, repr=False)
