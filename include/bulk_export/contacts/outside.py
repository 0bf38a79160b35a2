"""Count what lies outside of `contact_store.allowed`, and say what would admit it."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from bulk_export.contacts.addresses import AddressError, Addresses, OutsideError
from bulk_export.contacts.schema import URI_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

# What directories of one place have at least in common: /srv/recordings; of a bucket it is the bucket.
_COMMON_PARTS = 2


@dataclass(frozen=True, slots=True)
class Outside:
    """Addresses of a store that may not be read.

    Attributes:
        addresses: how many.
        contacts: how many contacts have them.
        never: those of them that no place would admit, such as `http://…` or `../…`.
        places: what would admit the others, as `contact_store.allowed` takes it.
    """

    addresses: int
    contacts: int
    never: int
    places: tuple[str, ...]


def outside(addresses: Addresses, uris: Iterable[pa.Table]) -> Outside:
    """Find the addresses that may not be read.

    Links are followed; nothing is opened.

    Args:
        addresses: what may be read.
        uris: as `ContactStore.uris` gives them.
    """
    known = replace(addresses, real_path=_real_path_of_few_folders())
    found, contacts, never = 0, 0, 0
    places: set[str] = set()
    for table in uris:
        for row in zip(*(table[column].to_pylist() for column in URI_COLUMNS), strict=True):
            refused = [error for uri in row if uri and (error := _refusal(known, uri)) is not None]
            found += len(refused)
            contacts += bool(refused)
            never += sum(not error.place for error in refused)
            places.update(error.place for error in refused if error.place)
    return Outside(found, contacts, never, _common(places))


def _refusal(addresses: Addresses, uri: str) -> OutsideError | None:
    try:
        addresses.locate(uri)
    except OutsideError as error:
        return error
    except AddressError:  # an item of its own kind
        return None
    return None


def _real_path_of_few_folders() -> Callable[[str], str]:
    """Follows links; a folder's own are followed once, because many addresses share it."""
    real_folder = lru_cache(maxsize=100_000)(os.path.realpath)

    def real_path(path: str) -> str:
        folder, _, name = path.rpartition("/")
        real = f"{real_folder(folder or '/').rstrip('/')}/{name}"
        return os.path.realpath(real) if os.path.islink(real) else real  # noqa: PTH114 - a Path costs as much as the call

    return real_path


def _common(places: Iterable[str]) -> tuple[str, ...]:
    """The longest folders that hold them all, of one beginning each."""
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for place in places:
        scheme, separator, rest = place.rpartition("://")
        beginning = rest.strip("/").split("/")[: 1 if separator else _COMMON_PARTS]
        alike[scheme + separator, *beginning].append(rest)
    return tuple(sorted(start + os.path.commonpath(rests) for (start, *_), rests in alike.items()))
