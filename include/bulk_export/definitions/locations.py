"""Storage kinds: settings, addresses, connection and opener of each.

One entry of `STORAGE_KINDS` adds a kind.

All of it is data, so that settings are read and DAG files parsed without any vendor's library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from bulk_export.definitions.kinds import Kinds, KindSettings, Models
from bulk_export.definitions.values import Text


class StorageLocation(KindSettings, any_kind=True):
    """A storage of any kind, for deliveries or for staging."""

    @classmethod
    def alternatives(cls) -> Models:
        """The settings of every registered storage kind."""
        return STORAGE_KINDS.models() if cls.any_kind else (cls,)


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        plain = parts.hostname is not None and not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        plain = False
    if not plain or "@" in text or parts.scheme not in {"http", "https"}:
        # It stands in the record of every run, and what it holds is not repeated.
        raise ValueError("it must be http://host:port or https://host:port, without user, password and query")
    return text


Endpoint = Annotated[Text, AfterValidator(_endpoint)]
_PREFIX = "Below which everything is stored."
_CONNECTION = "Airflow connection with the credentials; on the command line the service's environment variables serve."


class LocalLocation(StorageLocation):
    """A directory; a relative path is taken from the folder of settings.yaml."""

    type: Literal["local"]
    path: Text = Field(description="The directory; made when it is not there.", examples=["../../var/exports"])
    readable_by: Literal["owner", "group", "everyone"] = Field(
        "group",
        description="Who may read what is written there, if the umask lets them: the user that exports, its group as "
        "well, or every user of the machine.",
        examples=["everyone"],
    )


class S3Location(StorageLocation):
    """An Amazon S3 or compatible bucket; credentials come from the connection."""

    type: Literal["s3"]
    bucket: Text = Field(description="The bucket's name.", examples=["acme-exports"])
    prefix: str = Field("", description=_PREFIX, examples=["calls"])
    connection: Text | None = Field(None, description=_CONNECTION, examples=["aws_default"])
    region: Text | None = Field(None, description="Region of the bucket.", examples=["eu-west-1"])
    endpoint: Endpoint | None = Field(
        None, description="Address of a compatible server; Amazon's without it.", examples=["https://s3.acme.internal"]
    )
    kms_key: Text | None = Field(
        None,
        description="KMS key (SSE-KMS) every object is encrypted with.",
        examples=["arn:aws:kms:eu-west-1:111122223333:key/1234"],
    )


class AzureLocation(StorageLocation):
    """An Azure Blob container; credentials come from the connection."""

    type: Literal["azure"]
    container: Text = Field(description="The container's name.", examples=["exports"])
    account: Text | None = Field(None, description="Storage account, where no connection says it.", examples=["acme"])
    prefix: str = Field("", description=_PREFIX, examples=["calls"])
    connection: Text | None = Field(None, description=_CONNECTION, examples=["wasb_default"])


class GcsLocation(StorageLocation):
    """A Google Cloud Storage bucket; credentials come from the connection."""

    type: Literal["gcs"]
    bucket: Text = Field(description="The bucket's name.", examples=["acme-exports"])
    prefix: str = Field("", description=_PREFIX, examples=["calls"])
    connection: Text | None = Field(None, description=_CONNECTION, examples=["google_cloud_default"])


@dataclass(frozen=True, slots=True)
class ConnectionField:
    """Where an Airflow connection may hold an option.

    Attributes:
        name: `login`, `password`, `host`, or `extra.` and a key; a mapping found there is handed on as JSON.
        prefix: with which a value must begin to be meant.
    """

    name: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionType:
    """An Airflow connection type, and its fields as options of the opener.

    Attributes:
        name: Airflow's name of the type.
        options: the fields an option is taken from, the first that is filled in.
    """

    name: str
    options: Mapping[str, tuple[ConnectionField, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Address:
    """The URIs of a storage kind: `scheme://authority/path`.

    Attributes:
        schemes: the first is the one its own addresses have.
        authority: the settings key of a bucket's or container's name; empty where there is no authority.
        path: the settings key of the path; percent-decoded where there is no authority, as `file:` addresses are.
    """

    schemes: tuple[str, ...]
    authority: str
    path: str


@dataclass(frozen=True, slots=True)
class StorageKind:
    """A kind of storage location.

    Attributes:
        name: its `type` in settings.yaml.
        settings: its other keys there.
        opener: `module:object`, called with the settings and, by name, `base`, `credentials` and `retry_policy`; gives
            the `Storage` without touching or contacting anything. Resolved when a storage of the kind is opened.
        address: its URIs; None when there are none.
        connection_type: which Airflow connections have its credentials; None when it needs none.
        connection_key: the settings key that names the connection.
    """

    name: str
    settings: type[StorageLocation]
    opener: str
    address: Address | None = None
    connection_type: ConnectionType | None = None
    connection_key: str = "connection"

    def connection_id(self, location: StorageLocation) -> str | None:
        """The Airflow connection with the credentials of a location, if any."""
        named: str | None = getattr(location, self.connection_key) if self.connection_type else None
        return named


_AZURE_CONNECTION = ConnectionType(
    "wasb",
    {
        "account_name": (ConnectionField("login"), ConnectionField("extra.account_name")),
        "account_key": (ConnectionField("password"), ConnectionField("extra.account_key")),
        "sas_token": (ConnectionField("extra.sas_token"),),
        "tenant_id": (ConnectionField("extra.tenant_id"),),
        "client_id": (ConnectionField("extra.client_id"),),
        "client_secret": (ConnectionField("extra.client_secret"),),
        "endpoint": (ConnectionField("host", prefix="http"),),
    },
)
_GOOGLE_CONNECTION = ConnectionType(
    "google_cloud_platform",
    {
        "service_account_key": (ConnectionField("extra.keyfile_dict"),),
        "service_account": (ConnectionField("extra.key_path"),),
    },
)

STORAGE_KINDS: Kinds[StorageKind] = Kinds(
    "storage",
    (
        StorageKind("local", LocalLocation, "bulk_export.storage.local:open_local", Address(("file",), "", "path")),
        StorageKind(
            "s3",
            S3Location,
            "bulk_export.storage.buckets:open_s3",
            Address(("s3", "s3a"), "bucket", "prefix"),
            ConnectionType("aws"),  # which keys a connection of this type means, only the Amazon provider knows
        ),
        StorageKind(
            "azure",
            AzureLocation,
            "bulk_export.storage.buckets:open_azure",
            Address(("az", "azure"), "container", "prefix"),
            _AZURE_CONNECTION,
        ),
        StorageKind(
            "gcs",
            GcsLocation,
            "bulk_export.storage.buckets:open_gcs",
            Address(("gs",), "bucket", "prefix"),
            _GOOGLE_CONNECTION,
        ),
    ),
)


def is_place(uri: str) -> bool:
    """Whether a storage kind opens such addresses, or it is a path."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return bool(uri) and "\0" not in uri
    authority = rest.partition("/")[0]
    known = next((kind.address for kind in STORAGE_KINDS if kind.address and scheme in kind.address.schemes), None)
    if known is None:
        return False
    return bool(authority) and "@" not in authority if known.authority else authority in {"", "localhost"}
