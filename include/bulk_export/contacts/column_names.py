"""Column names that look like a known one and are not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator

from bulk_export.contacts.schema import STORE_COLUMNS

_ALIKE = "differs from it only by case, blanks or invisible characters: rename it, or leave it out"
_SIMILAR = "is no column that is known, and this one is absent: rename it to {column}, or to what cannot be mistaken"


def mistaken_names(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Find names that must have meant a known column.

    `Recycled` is not `recycled`: a contact whose recycling is said there would leave unmasked, and nobody would see it.

    Args:
        names: of every column and key=value directory.

    Yields:
        the known column, and a message about the name.
    """
    for name in names:
        if name in STORE_COLUMNS:
            continue
        plain = _plain(name)
        if plain in STORE_COLUMNS:
            yield plain, f"{shown(name)} {_ALIKE}"
        elif (similar := _BY_LETTERS.get(_letters(plain))) and similar not in names:
            yield similar, f"{shown(name)} {_SIMILAR.format(column=similar)}"


def shown(name: str) -> str:
    """A name in quotation marks, with invisible characters escaped."""
    return "'" + "".join(one if one.isprintable() else ascii(one)[1:-1] for one in name) + "'"


def _plain(name: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKC", name) if one.isprintable() and one != " ").casefold()


def _letters(name: str) -> str:
    return re.sub(r"[\W_]+", "", name)


_BY_LETTERS = {_letters(column): column for column in STORE_COLUMNS}
