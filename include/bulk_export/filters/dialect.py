"""How a database says what filters need: the only SQL that differs from one contact store to another.

Every template takes the column as `{0}` and binds its operand with `?`. Adding a store with another SQL is one more
`Dialect`. The relation that is filtered is called `contacts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Dialect:
    """SQL templates of one database.

    Attributes:
        fold: the column in the form `words.fold` gives operands.
        contains: whether the column contains the operand; `%` and `_` are ordinary.
        starts_with: whether it starts with the operand.
        ends_with: whether it ends with the operand.
        matches: whether an RE2 pattern (see `words.body_pattern`) is found in the NFC form of the column.
        metadata: the value of a metadata key, null where the contact has none.
        among: whether the contact's id is in a bound list of ids.
        by_zone: the value of two bound lists (zone names, values of type `{1}`) for the contact's zone, else null.
    """

    fold: str
    contains: str
    starts_with: str
    ends_with: str
    matches: str
    metadata: str
    among: str
    by_zone: str


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "duckdb": Dialect(
            # DuckDB's lower() maps one character to one, as Unicode's simple lower case does.
            fold="replace(replace(lower(nfc_normalize({0})), 'ß', 'ss'), 'ς', 'σ')",
            contains="contains({0}, ?)",
            starts_with="starts_with({0}, ?)",
            ends_with="suffix({0}, ?)",
            # One pass; a contains() on the folded body first costs more than the pattern itself.
            matches="regexp_matches(nfc_normalize({0}), ?)",
            metadata="contacts.metadata[?]",
            # A list is searched from its start for every row; a relation is hashed once.
            among="contacts.contact_id IN (SELECT unnest(?::BIGINT[]))",
            by_zone=(
                "(SELECT bound.value FROM (SELECT unnest(?::VARCHAR[]) AS zone, unnest(?::{0}[]) AS value) AS bound"
                " WHERE bound.zone = contacts.time_zone)"
            ),
        )
    }
)
