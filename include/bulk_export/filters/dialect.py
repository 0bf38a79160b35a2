"""SQL that differs from one contact store to another.

Every template takes the column as `{0}` and binds its operand with `?`, after the last `{0}`. Adding a store with
another SQL is one more `Dialect`. The relation that is filtered is called `contacts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from bulk_export.filters.postgres_words import postgres_pattern, zone_object
from bulk_export.filters.words import body_pattern, stored_pattern


def _zone_lists(zones: Sequence[str], values: Sequence[date]) -> tuple[object, ...]:
    return list(zones), list(values)


@dataclass(frozen=True, slots=True)
class Dialect:
    """SQL templates of one database.

    Attributes:
        fold: the column in the form `words.fold` gives operands.
        contains: whether the column contains the operand; `%` and `_` are ordinary.
        starts_with: whether it starts with the operand.
        ends_with: whether it ends with the operand.
        matches: whether what `patterns` makes is found in the NFC form of the column.
        metadata: the value of a metadata key, null where the contact has none.
        among: whether the contact's id is in a bound list of ids.
        by_zone: the value of type `{0}` for the contact's zone, else null; binds what `zone_operands` makes.
        patterns: search terms as the operands of `matches`; together they find what `words.body_pattern` finds.
        zone_operands: zone names, and the value for each, as `by_zone` binds them.
    """

    fold: str
    contains: str
    starts_with: str
    ends_with: str
    matches: str
    metadata: str
    among: str
    by_zone: str
    patterns: Callable[[Sequence[tuple[str, ...]]], tuple[str, ...]]
    zone_operands: Callable[[Sequence[str], Sequence[date]], tuple[object, ...]] = _zone_lists


# Characters of everyday text that normalisation form C leaves alone, whichever of them come together. Seeing that a
# body has no other costs a fifth of normalising it.
COMPOSED = (
    ("\t", "\u02ff"),  # Latin
    ("\u0388", "\u0482"),  # Greek, Cyrillic
    ("\u048a", "\u052f"),
    ("\u2010", "\u2027"),  # punctuation, currencies
    ("\u20a0", "\u20bf"),
    ("\u3000", "\u3029"),  # Kana, Han
    ("\u3030", "\u3098"),
    ("\u309b", "\u9fff"),
    ("\uac00", "\ud7a3"),  # Hangul syllables; the letters that would join them are not here
    ("\uff01", "\uffee"),
)
_RANGES = "".join(f"{first}-{last}" for first, last in COMPOSED)
_DUCKDB_NFC = f"(CASE WHEN regexp_matches({{0}}, '[^{_RANGES}]') THEN nfc_normalize({{0}}) ELSE {{0}} END)"

_DUCKDB = Dialect(
    # DuckDB's lower() maps one character to one, as Unicode's simple lower case does.
    fold="replace(replace(lower(nfc_normalize({0})), 'ß', 'ss'), 'ς', 'σ')",
    contains="contains({0}, ?)",
    starts_with="starts_with({0}, ?)",
    ends_with="suffix({0}, ?)",
    # Most bodies are done with at the first look, which costs a fifth of normalising and looking for words. CASE and
    # not AND: in the opposite of a condition, AND would take both looks at every body.
    matches=f"(CASE WHEN regexp_matches({{0}}, ?) THEN regexp_matches({_DUCKDB_NFC}, ?) ELSE FALSE END)",
    metadata="contacts.metadata[?]",
    # A list is searched from its start for every row; a relation is hashed once.
    among="contacts.contact_id IN (SELECT unnest(?::BIGINT[]))",
    by_zone=(
        "(SELECT bound.value FROM (SELECT unnest(?::VARCHAR[]) AS zone, unnest(?::{0}[]) AS value) AS bound"
        " WHERE bound.zone = contacts.time_zone)"
    ),
    patterns=lambda terms: (stored_pattern(terms), body_pattern(terms)),
)

# Text whose characters are all below U+0300 is in normal form C: seeing that costs a tenth of normalising it.
_POSTGRES_NFC = r"""(CASE WHEN {0} COLLATE "C" ~ '[^\u0001-\u02FF]' THEN normalize({0}, NFC) ELSE {0} END)"""


def _postgres(collation: str) -> Dialect:
    """PostgreSQL 13 or newer, a UTF-8 database; `collation` is one whose lower() knows all of Unicode."""
    # ICU alone gives two characters for the Turkish dotted capital.
    lower = f"""lower(replace({_POSTGRES_NFC}, 'İ', 'i') COLLATE "{collation}")"""
    return Dialect(
        fold=f"replace(replace({lower}, 'ß', 'ss'), 'ς', 'σ')",
        contains="strpos({0}, ?::text) > 0",
        starts_with="starts_with({0}, ?::text)",
        # The folded column is here once and the operand is bound once; reversed, an end is a start.
        ends_with="starts_with(reverse({0}), reverse(?::text))",
        matches=f'{_POSTGRES_NFC} COLLATE "C" ~ ?::text',
        metadata="(contacts.metadata ->> ?::text)",
        # Unlike a subquery, also an index on the id can answer it beside another condition.
        among="contacts.contact_id = ANY(?::bigint[])",
        # Looked up in an object, where a list of all zones would be read to its end for each contact.
        by_zone="(?::jsonb ->> contacts.time_zone)::{0}",
        patterns=lambda terms: (postgres_pattern(terms),),
        zone_operands=zone_object,
    )


# PostgreSQL's lower() follows a collation. ICU's is there wherever the server was built with ICU; PostgreSQL 17 and
# newer bring one of their own.
POSTGRES_COLLATIONS: Mapping[str, str] = MappingProxyType({"und-x-icu": "postgres", "pg_c_utf8": "postgres-builtin"})

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {"duckdb": _DUCKDB, **{name: _postgres(collation) for collation, name in POSTGRES_COLLATIONS.items()}}
)
