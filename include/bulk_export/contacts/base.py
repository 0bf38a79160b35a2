"""What a contact store must offer, whatever holds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

    from bulk_export.filters.selection import Selection
    from bulk_export.storage.base import Storage


@dataclass(frozen=True, slots=True)
class Matches:
    """How many contacts a selection matched.

    Attributes:
        contacts: matched contacts, root recordings left out.
        roots: root recordings that met the filters and were excluded (ROOT_UNSUPPORTED).
        media_bytes: stored bytes of the matched contacts' audio and screen, where the catalogue knows them.
    """

    contacts: int
    roots: int
    media_bytes: int


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What `check-store` found when the store is usable.

    Attributes:
        contacts: rows of the catalogue.
        columns: known columns that are present, in catalogue order.
        absent: optional columns that are missing.
        ignored: columns of the store that no field uses.
        unread: files of the catalogue that are no Parquet files by their name.
    """

    contacts: int
    columns: tuple[str, ...]
    absent: tuple[str, ...]
    ignored: tuple[str, ...]
    unread: tuple[str, ...] = ()


class ContactStore(Protocol):
    """A catalogue of contacts plus its objects."""

    @property
    def dialect(self) -> str:
        """SQL dialect of selections: a key of `filters.dialect.DIALECTS`."""
        ...

    @property
    def objects(self) -> Storage:
        """Storage of relative `audio_uri`, `screen_uri` and `transcript_uri`."""
        ...

    def check(self, *, values: bool = False) -> StoreReport:
        """Look at the whole catalogue; with `values`, read every value of it.

        Raises:
            DefinitionError: STORE_INVALID, naming every column of the wrong type, every missing required column, nulls
                in `contact_id` and `started_at`, and the first duplicate contact ids; with `values` also
                what a run of every contact would be refused for.
            RefusedError: STORE_DENIED, no right to read it.
            TransientError: STORE_UNREACHABLE, it cannot be read at all.
        """
        ...

    def uris(self) -> Iterator[pa.Table]:
        """The `contact_id` and the addresses of every contact, in parts.

        Columns: `contact_id` int64 and those of `schema.URI_COLUMNS`, text. Raises as `check`.
        """
        ...

    def count(self, selection: Selection) -> Matches:
        """How many contacts match, without writing anything.

        Nothing is read but what the filters and sizes need.
        """
        ...

    def preview(self, selection: Selection, count: int) -> tuple[Matches, pa.Table]:
        """Matches as counted, and the keys of the oldest `count` of them.

        Columns as in `select_keys`.

        The catalogue is read once for both, nothing is written.
        """
        ...

    def select_keys(self, selection: Selection, into: Path) -> Matches:
        """Write the matched contacts' keys, oldest first, to one Parquet file.

        Their order is `started_at`, `contact_id`.

        Columns: `contact_id` int64, `started_at` timestamp[us, UTC], `updated_at` the same or null, `media_bytes`
        int64. Root recordings are left out and counted. `DefinitionError` STORE_INVALID when the store is not
        usable or a contact id is among the matches more than once.
        """
        ...

    def fetch(self, keys: pa.Table, metadata_keys: tuple[str, ...], *, with_text: bool) -> pa.Table:
        """Every known column of the contacts in `keys`, in their order.

        `keys` has the columns of `select_keys` and is sorted.

        Returns the canonical schema of `contacts/schema.py`: absent columns are null, `metadata.<key>` one text column
        per exportable key, `text` only when asked for. Contacts that left the store since are not in the result.
        """
        ...
