"""Contact store kinds: settings, connections and opener of each.

One entry of `CONTACT_STORE_KINDS` adds a kind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from bulk_export.definitions.kinds import Kinds, KindSettings, Models
from bulk_export.definitions.locations import is_place
from bulk_export.definitions.values import Text


def _place(text: str) -> str:
    if not is_place(text):
        raise ValueError("give a directory, or an address such as s3://bucket/prefix, without user and password")
    return text


def _root(text: str) -> str:
    if "://" in text and "@" in text.partition("://")[2].partition("/")[0]:
        # It stands in the record of every run, and what it holds is not repeated.
        raise ValueError("an address has no user and password: they belong into the connection")
    return text


Root = Annotated[Text, AfterValidator(_root)]
Place = Annotated[Text, AfterValidator(_place)]


class ContactStoreSettings(KindSettings, any_kind=True):
    """Where contacts come from: a store of any kind."""

    allowed: tuple[Place, ...] = Field(
        (),
        description="Directories and bucket prefixes that hold objects of contacts, beside the store's own root. "
        "Addresses and links that lead elsewhere are not followed (`ADDRESS_NOT_ALLOWED`).",
        examples=[["s3://acme-archive/calls", "/mnt/recorder"]],
    )

    @classmethod
    def alternatives(cls) -> Models:
        """The settings of every registered contact store kind."""
        return CONTACT_STORE_KINDS.models() if cls.any_kind else (cls,)


class ParquetStore(ContactStoreSettings):
    """A directory or bucket prefix with `contacts/**/*.parquet` and the objects beside it."""

    type: Literal["parquet"]
    uri: Root = Field(
        description="Directory, a relative one from the folder of settings.yaml; or `s3://`, `az://`, `gs://` address.",
        examples=["../../var/store"],
    )
    connection: Text | None = Field(None, description="Airflow connection of a bucket.", examples=["aws_calls"])


class PostgresStore(ContactStoreSettings):
    """A table or view behind an Airflow connection; objects in any storage."""

    type: Literal["postgres"]
    connection: Text = Field(description="Airflow connection of the database.", examples=["contacts_db"])
    objects: Root = Field(
        description="Where the catalogue's relative addresses start.", examples=["s3://acme-calls/store"]
    )
    objects_connection: Text | None = Field(
        None, description="Airflow connection of the bucket that holds the objects.", examples=["aws_calls"]
    )
    table: Annotated[str, StringConstraints(pattern=r'^[^\s".?]{1,63}(\.[^\s".?]{1,63})?$')] = Field(
        "contacts", description="The table or view, as `name` or `schema.name`.", examples=["export.contacts"]
    )
    statement_timeout_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        600, description="Seconds after which the server gives a query up.", examples=[1200]
    )


@dataclass(frozen=True, slots=True)
class ContactStoreKind:
    """A kind of contact store.

    Attributes:
        name: its `type` in settings.yaml.
        settings: its other keys there.
        opener: `module:object`, called with the settings and, by name, `base`, `scratch`, `credentials`, `database_url`
            and `retry_policy`; gives the `ContactStore` without reading anything. Resolved when a store is opened.
        objects_connection_key: the settings key that names the connection of the bucket with the objects; empty when
            there is none.
        database_connection_key: the settings key that names the connection of a database; empty when there is none.
    """

    name: str
    settings: type[ContactStoreSettings]
    opener: str
    objects_connection_key: str = ""
    database_connection_key: str = ""

    def objects_connection_id(self, store: ContactStoreSettings) -> str | None:
        """The Airflow connection of the bucket with the store's objects, if any."""
        return getattr(store, self.objects_connection_key) if self.objects_connection_key else None

    def database_connection_id(self, store: ContactStoreSettings) -> str | None:
        """The Airflow connection of the store's database, if any."""
        return getattr(store, self.database_connection_key) if self.database_connection_key else None


CONTACT_STORE_KINDS: Kinds[ContactStoreKind] = Kinds(
    "contact store",
    (
        ContactStoreKind("parquet", ParquetStore, "bulk_export.contacts.parquet:open_parquet_store", "connection"),
        ContactStoreKind(
            "postgres",
            PostgresStore,
            "bulk_export.contacts.postgres:open_postgres_store",
            "objects_connection",
            "connection",
        ),
    ),
)
